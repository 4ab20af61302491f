#include "models/architecture/families/families.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

#include "models/files/json_fields.hpp"

namespace regroup::models {
namespace {

/// What Gemma 2 and 3 have in common.
void read_gemma2(const nlohmann::json& config, const std::string& where, ModelConfig& out) {
  constexpr double kLargest = 1e6;
  constexpr double kTiny = 1e-6;
  out.embedding_scale = std::sqrt(static_cast<double>(out.width));
  out.attention_scale =
      1 / std::sqrt(required_number(config, "query_pre_attn_scalar", where, kTiny, kLargest));
  out.logit_cap = optional_number(config, "final_logit_softcapping", where, kTiny, kLargest);
  out.attention_cap = optional_number(config, "attn_logit_softcapping", where, kTiny, kLargest);
}

}  // namespace

ArchitectureSpec gemma2_architecture() {
  ArchitectureSpec spec = llama_like("Gemma2ForCausalLM", "gemma2");
  spec.base_architecture = "Gemma2Model";
  spec.norm = NormKind::kOffsetRootMeanSquare;
  spec.attention_bias = AttentionBias::kByField;
  spec.activations = {"gelu_pytorch_tanh", "gelu", "silu", "relu"};
  spec.layer.attention_branch_norm = "model.layers.{}.post_attention_layernorm";
  spec.layer.mlp_norm = "model.layers.{}.pre_feedforward_layernorm";
  spec.layer.mlp_branch_norm = "model.layers.{}.post_feedforward_layernorm";
  spec.fields.activation = "hidden_activation";
  spec.sliding_window = SlidingWindow::kByPattern;
  spec.full_attention_step = 2;
  spec.read_own = read_gemma2;
  spec.config_class = "Gemma2Config";
  spec.keys = {
      .read = R"({"vocab_size": 256000, "hidden_size": 2304, "intermediate_size": 9216,
"num_hidden_layers": 26, "num_attention_heads": 8, "num_key_value_heads": 4,
"head_dim": 256, "hidden_activation": "gelu_pytorch_tanh",
"max_position_embeddings": 8192, "rms_norm_eps": 1e-06, "eos_token_id": 1,
"bos_token_id": 2, "tie_word_embeddings": true, "rope_parameters": null,
"attention_bias": false, "query_pre_attn_scalar": 256, "sliding_window": 4096,
"layer_types": null, "final_logit_softcapping": 30.0, "attn_logit_softcapping": 50.0})",
      .neutral =
          R"({"num_experts": 0, "num_local_experts": 0, "use_bidirectional_attention": null})",
      .ignored =
          "attention_dropout cache_implementation hidden_act initializer_range pad_token_id "
          "use_cache"};
  return spec;
}

ArchitectureSpec gemma3_architecture() {
  constexpr double kTheta = 1e6;
  constexpr double kSlidingTheta = 1e4;
  constexpr int kFullStep = 6;
  ArchitectureSpec spec = gemma2_architecture();
  spec.architecture = "Gemma3ForCausalLM";
  spec.model_type = "gemma3_text";
  spec.base_architecture = "Gemma3TextModel";
  spec.layer.query_norm = "model.layers.{}.self_attn.q_norm";
  spec.layer.key_norm = "model.layers.{}.self_attn.k_norm";
  spec.query_key_norm = QueryKeyNorm::kByHead;
  spec.rotary_defaults = {.theta = kTheta, .sliding_theta = kSlidingTheta};
  spec.full_attention_step = kFullStep;
  spec.config_class = "Gemma3TextConfig";
  spec.keys = {
      .read = R"({"vocab_size": 262208, "hidden_size": 2304, "intermediate_size": 9216,
"num_hidden_layers": 26, "num_attention_heads": 8, "num_key_value_heads": 4,
"head_dim": 256, "hidden_activation": "gelu_pytorch_tanh",
"max_position_embeddings": 131072, "rms_norm_eps": 1e-06, "eos_token_id": 1,
"bos_token_id": 2, "tie_word_embeddings": true, "rope_parameters": null,
"attention_bias": false, "query_pre_attn_scalar": 256, "sliding_window": 4096,
"layer_types": null, "final_logit_softcapping": null, "attn_logit_softcapping":
null, "_sliding_window_pattern": null, "rope_local_base_freq": null,
"sliding_window_pattern": null})",
      .neutral =
          R"({"num_experts": 0, "num_local_experts": 0, "use_bidirectional_attention": null})",
      .ignored =
          "attention_dropout cache_implementation hidden_act initializer_range pad_token_id "
          "use_cache"};
  return spec;
}

}  // namespace regroup::models
