#include "models/architecture/families/families.hpp"

#include <nlohmann/json.hpp>

#include "models/files/json_fields.hpp"

namespace regroup::models {
namespace {

/// Bloom has no position table: this is the longest input that is taken.
constexpr int kLongestBloomInput = 1 << 16;

void read_bloom(const nlohmann::json& /*config*/, const std::string& /*where*/, ModelConfig& out) {
  out.context = kLongestBloomInput;
  out.alibi.slopes = alibi_slopes(out.query_heads);
}

}  // namespace

ArchitectureSpec bloom_architecture() {
  return {
      .architecture = "BloomForCausalLM",
      .model_type = "bloom",
      .base_architecture = "BloomModel",
      .config_class = "BloomConfig",
      .base_prefix = "transformer.",
      .fields = {.layers = "n_layer",
                 .query_heads = "n_head",
                 .mlp_width = "",
                 .context = "",
                 .norm_epsilon = "layer_norm_epsilon",
                 .activation = ""},
      .keys = {.read = R"({"vocab_size": 250880, "hidden_size": 64, "n_layer": 2, "n_head": 8,
"layer_norm_epsilon": 1e-05, "bos_token_id": 1, "eos_token_id": 2,
"tie_word_embeddings": true})",
               .neutral = R"({"apply_residual_connection_post_layernorm": false})",
               .ignored =
                   "attention_dropout attention_softmax_in_fp32 bias_dropout_fusion hidden_dropout "
                   "initializer_range masked_softmax_fusion n_inner offset_alibi pad_token_id "
                   "pretraining_tp seq_length skip_bias_add skip_bias_add_qkv slow_but_exact "
                   "unk_token_id use_cache",
               .other_names = {{"num_hidden_layers", "n_layer"},
                               {"num_attention_heads", "n_head"},
                               {"n_embed", "hidden_size"}}},
      .model = {.embedding = "transformer.word_embeddings",
                .embedding_norm = "transformer.word_embeddings_layernorm",
                .final_norm = "transformer.ln_f",
                .head = "lm_head"},
      .layer = {.attention_norm = "transformer.h.{}.input_layernorm",
                .query = "transformer.h.{}.self_attention.query_key_value",
                .output = "transformer.h.{}.self_attention.dense",
                .mlp_norm = "transformer.h.{}.post_attention_layernorm",
                .up = "transformer.h.{}.mlp.dense_h_to_4h",
                .down = "transformer.h.{}.mlp.dense_4h_to_h"},
      .storage = ProjectionStorage::kByHead,
      .activations = {"gelu_new"},
      .read_own = read_bloom,
  };
}

}  // namespace regroup::models
