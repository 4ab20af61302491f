#include "models/architecture/families/families.hpp"

#include <nlohmann/json.hpp>

#include "models/files/json_fields.hpp"

namespace regroup::models {
namespace {

/// Rows that the position table holds before that of the first position.
constexpr int kOptOffset = 2;
constexpr std::int64_t kLargestOptWidth = std::int64_t{1} << 24;

void read_opt(const nlohmann::json& config, const std::string& where, ModelConfig& out) {
  out.position_offset = kOptOffset;
  out.learned_positions = out.context + kOptOffset;
  const bool is_pre_norm = required_bool(config, "do_layer_norm_before", where);
  out.order = is_pre_norm ? ResidualOrder::kPreNorm : ResidualOrder::kPostNorm;
  out.final_norm = is_pre_norm && !required_bool(config, "_remove_final_layer_norm", where);
  const auto width = optional_int(config, "word_embed_proj_dim", where, 1, kLargestOptWidth);
  out.embedding_width = static_cast<int>(width.value_or(out.width));
}

}  // namespace

ArchitectureSpec opt_architecture() {
  return {
      .architecture = "OPTForCausalLM",
      .model_type = "opt",
      .base_architecture = "OPTModel",
      .config_class = "OPTConfig",
      .base_prefix = "model.",
      .fields = {.mlp_width = "ffn_dim", .norm_epsilon = "", .activation = "activation_function"},
      .keys =
          {.read =
               R"({"vocab_size": 50272, "hidden_size": 768, "num_hidden_layers": 12, "ffn_dim": 3072,
"max_position_embeddings": 2048, "do_layer_norm_before": true,
"_remove_final_layer_norm": false, "word_embed_proj_dim": null,
"num_attention_heads": 12, "activation_function": "relu", "bos_token_id": 2,
"eos_token_id": 2, "tie_word_embeddings": true})",
           .neutral = R"({"enable_bias": true, "layer_norm_elementwise_affine": true})",
           .ignored =
               "activation_dropout attention_dropout dropout init_std layerdrop pad_token_id "
               "use_cache"},
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
      .positions = PositionKind::kLearned,
      .activations = {"relu", "gelu"},
      .read_own = read_opt,
  };
}

}  // namespace regroup::models
