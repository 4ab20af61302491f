#include "models/architecture/families/families.hpp"

#include <nlohmann/json.hpp>

#include "models/files/json_fields.hpp"

namespace regroup::models {
namespace {

void read_gpt_neox(const nlohmann::json& config, const std::string& where, ModelConfig& out) {
  const bool is_parallel = optional_bool(config, "use_parallel_residual", where).value_or(true);
  out.order = is_parallel ? ResidualOrder::kParallel : ResidualOrder::kPreNorm;
  out.input_bias = optional_bool(config, "attention_bias", where).value_or(true);
  out.output_bias = out.input_bias;
}

}  // namespace

ArchitectureSpec gpt_neox_architecture() {
  return {
      .architecture = "GPTNeoXForCausalLM",
      .base_prefix = "gpt_neox.",
      .model = {.embedding = "gpt_neox.embed_in",
                .final_norm = "gpt_neox.final_layer_norm",
                .head = "embed_out"},
      .layer = {.attention_norm = "gpt_neox.layers.{}.input_layernorm",
                .query = "gpt_neox.layers.{}.attention.query_key_value",
                .output = "gpt_neox.layers.{}.attention.dense",
                .mlp_norm = "gpt_neox.layers.{}.post_attention_layernorm",
                .up = "gpt_neox.layers.{}.mlp.dense_h_to_4h",
                .down = "gpt_neox.layers.{}.mlp.dense_4h_to_h"},
      .order = ResidualOrder::kParallel,
      .rotary = RotaryKind::kPartial,
      .storage = ProjectionStorage::kByHead,
      .tied_by_default = false,
      .activations = {"gelu", "gelu_new", "gelu_fast", "relu"},
      .refused_fields = {"quantization_config"},
      .read_own = read_gpt_neox,
  };
}

}  // namespace regroup::models
