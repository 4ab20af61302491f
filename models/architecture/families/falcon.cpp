#include "models/architecture/families/families.hpp"

#include <nlohmann/json.hpp>

#include "models/files/json_fields.hpp"

namespace regroup::models {
namespace {

void read_alibi(ModelConfig& out) {
  out.rotary = {};
  // Added before the logits are scaled, and rounded on the way.
  out.alibi = {
      .slopes = alibi_slopes(out.query_heads), .in_bfloat16 = true, .scale = out.score_scale()};
}

/// Falcon 7B stores one KV head, Falcon 40B groups of queries with their key and value, all others
/// each head's query, key and value.
void read_heads_stored(const nlohmann::json& config, const std::string& where, bool is_new,
                       ModelConfig& out) {
  const bool has_one = !is_new && required_bool(config, "multi_query", where);
  out.storage = is_new    ? ProjectionStorage::kByGroup
                : has_one ? ProjectionStorage::kFused
                          : ProjectionStorage::kByHead;
  if (has_one) out.kv_heads = 1;
  out.names_kv_heads = is_new;
  if (out.storage == ProjectionStorage::kByHead && out.kv_heads != out.query_heads) {
    refuse_field(where, "num_kv_heads", std::to_string(out.query_heads),
                 std::to_string(out.kv_heads));
  }
}

void read_falcon(const nlohmann::json& config, const std::string& where, ModelConfig& out) {
  const bool is_new = required_bool(config, "new_decoder_architecture", where);
  const auto norms = optional_int(config, "num_ln_in_parallel_attn", where, 1, 2);
  if (is_new || required_bool(config, "parallel_attn", where)) {
    out.order = ResidualOrder::kParallel;
    out.shares_norm = norms.value_or(is_new ? 2 : 1) == 1;
  }
  read_heads_stored(config, where, is_new, out);
  if (required_bool(config, "alibi", where)) read_alibi(out);
}

}  // namespace

ArchitectureSpec falcon_architecture() {
  return {
      .architecture = "FalconForCausalLM",
      .model_type = "falcon",
      .base_architecture = "FalconModel",
      .config_class = "FalconConfig",
      .base_prefix = "transformer.",
      .fields = {.kv_heads = "num_kv_heads",
                 .mlp_width = "ffn_hidden_size",
                 .norm_epsilon = "layer_norm_epsilon",
                 .activation = "activation",
                 .attention_bias = "bias",
                 .mlp_bias = "bias"},
      .keys = {.read = R"({"vocab_size": 65024, "hidden_size": 4544, "num_hidden_layers": 32,
"num_attention_heads": 71, "num_ln_in_parallel_attn": null, "layer_norm_epsilon":
1e-05, "num_kv_heads": null, "alibi": false, "new_decoder_architecture": false,
"multi_query": true, "parallel_attn": true, "bias": false,
"max_position_embeddings": 2048, "rope_parameters": null, "bos_token_id": 11,
"eos_token_id": 11, "ffn_hidden_size": null, "activation": "gelu",
"tie_word_embeddings": true})",
               .ignored =
                   "attention_dropout hidden_dropout initializer_range pad_token_id use_cache",
               .other_names = {{"n_embed", "hidden_size"},
                               {"n_layer", "num_hidden_layers"},
                               {"n_head", "num_attention_heads"},
                               {"n_head_kv", "num_kv_heads"}}},
      .model = {.embedding = "transformer.word_embeddings",
                .final_norm = "transformer.ln_f",
                .head = "lm_head"},
      .layer = {.attention_norm = "transformer.h.{}.input_layernorm",
                .query = "transformer.h.{}.self_attention.query_key_value",
                .output = "transformer.h.{}.self_attention.dense",
                .mlp_norm = "transformer.h.{}.post_attention_layernorm",
                .up = "transformer.h.{}.mlp.dense_h_to_4h",
                .down = "transformer.h.{}.mlp.dense_4h_to_h"},
      .other_names = {{".input_layernorm.", ".ln_attn."},
                      {".post_attention_layernorm.", ".ln_mlp."}},
      .rotary = RotaryKind::kWhole,
      .storage = ProjectionStorage::kByHead,
      .attention_bias = AttentionBias::kByField,
      .mlp_bias = MlpBias::kByField,
      .activations = {"gelu", "gelu_new", "gelu_pytorch_tanh", "relu", "silu"},
      .read_own = read_falcon,
  };
}

}  // namespace regroup::models
