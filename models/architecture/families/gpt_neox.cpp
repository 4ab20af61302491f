#include "models/architecture/families/families.hpp"

#include <nlohmann/json.hpp>

#include "models/files/json_fields.hpp"

namespace regroup::models {
namespace {

void read_gpt_neox(const nlohmann::json& config, const std::string& where, ModelConfig& out) {
  const bool is_parallel = required_bool(config, "use_parallel_residual", where);
  out.order = is_parallel ? ResidualOrder::kParallel : ResidualOrder::kPreNorm;
}

}  // namespace

ArchitectureSpec gpt_neox_architecture() {
  constexpr double kPart = 0.25;
  return {
      .architecture = "GPTNeoXForCausalLM",
      .model_type = "gpt_neox",
      .base_architecture = "GPTNeoXModel",
      .config_class = "GPTNeoXConfig",
      .base_prefix = "gpt_neox.",
      .keys = {.read = R"({"vocab_size": 50432, "hidden_size": 6144, "num_hidden_layers": 44,
"num_attention_heads": 64, "intermediate_size": 24576, "hidden_act": "gelu",
"max_position_embeddings": 2048, "layer_norm_eps": 1e-05, "bos_token_id": 0,
"eos_token_id": 2, "tie_word_embeddings": false, "use_parallel_residual": true,
"rope_parameters": null, "attention_bias": true})",
               .neutral = R"({"is_decoder": false})",
               .ignored = "attention_dropout classifier_dropout hidden_dropout initializer_range "
                          "pad_token_id use_cache"},
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
      .rotary_defaults = {.theta_field = "rotary_emb_base",
                          .part_field = "rotary_pct",
                          .part = kPart},
      .storage = ProjectionStorage::kByHead,
      .attention_bias = AttentionBias::kByField,
      .activations = {"gelu", "gelu_new", "gelu_fast", "relu"},
      .read_own = read_gpt_neox,
  };
}

}  // namespace regroup::models
