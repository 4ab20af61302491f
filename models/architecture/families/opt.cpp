#include "models/architecture/families/families.hpp"

#include <nlohmann/json.hpp>

#include "models/files/json_fields.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

/// Rows that the position table holds before that of the first position.
constexpr int kPositionOffset = 2;
constexpr std::int64_t kLargestWidth = std::int64_t{1} << 24;

void require_true(const nlohmann::json& config, const char* field, const std::string& where) {
  if (optional_bool(config, field, where).value_or(true)) return;
  throw InputError({.what = "models without biases or weights of norms are not supported",
                    .where = field_of(where, field),
                    .expected = "true",
                    .found = "false"});
}

void read_opt(const nlohmann::json& config, const std::string& where, ModelConfig& out) {
  require_true(config, "enable_bias", where);
  require_true(config, "layer_norm_elementwise_affine", where);
  out.position_offset = kPositionOffset;
  out.learned_positions = out.context + kPositionOffset;
  const bool is_pre_norm = optional_bool(config, "do_layer_norm_before", where).value_or(true);
  out.order = is_pre_norm ? ResidualOrder::kPreNorm : ResidualOrder::kPostNorm;
  out.final_norm =
      is_pre_norm && !optional_bool(config, "_remove_final_layer_norm", where).value_or(false);
  const auto width = optional_int(config, "word_embed_proj_dim", where, 1, kLargestWidth);
  out.embedding_width = static_cast<int>(width.value_or(out.width));
}

}  // namespace

ArchitectureSpec opt_architecture() {
  return {
      .architecture = "OPTForCausalLM",
      .base_prefix = "model.",
      .fields = {.mlp_width = "ffn_dim", .norm_epsilon = "", .activation = "activation_function"},
      .model = {.embedding = "model.decoder.embed_tokens",
                .positions = "model.decoder.embed_positions",
                .project_in = "model.decoder.project_in",
                .project_out = "model.decoder.project_out",
                .final_norm = "model.decoder.final_layer_norm",
                .head = "lm_head"},
      .layer = {.attention_norm = "model.decoder.layers.{}.self_attn_layer_norm",
                .query = "model.decoder.layers.{}.self_attn.q_proj",
                .key = "model.decoder.layers.{}.self_attn.k_proj",
                .value = "model.decoder.layers.{}.self_attn.v_proj",
                .output = "model.decoder.layers.{}.self_attn.out_proj",
                .mlp_norm = "model.decoder.layers.{}.final_layer_norm",
                .up = "model.decoder.layers.{}.fc1",
                .down = "model.decoder.layers.{}.fc2"},
      .activations = {"relu", "gelu"},
      .refused_fields = {"quantization_config"},
      .read_own = read_opt,
  };
}

}  // namespace regroup::models
