#include "models/architecture/families/families.hpp"

namespace regroup::models {

ArchitectureSpec llama_like(std::string_view architecture, std::string_view model_type) {
  return {
      .architecture = architecture,
      .model_type = model_type,
      .base_prefix = "model.",
      .fields = {.kv_heads = "num_key_value_heads",
                 .head_dim = "head_dim",
                 .norm_epsilon = "rms_norm_eps"},
      .model = {.embedding = "model.embed_tokens", .final_norm = "model.norm", .head = "lm_head"},
      .layer = {.attention_norm = "model.layers.{}.input_layernorm",
                .query = "model.layers.{}.self_attn.q_proj",
                .key = "model.layers.{}.self_attn.k_proj",
                .value = "model.layers.{}.self_attn.v_proj",
                .output = "model.layers.{}.self_attn.o_proj",
                .mlp_norm = "model.layers.{}.post_attention_layernorm",
                .gate = "model.layers.{}.mlp.gate_proj",
                .up = "model.layers.{}.mlp.up_proj",
                .down = "model.layers.{}.mlp.down_proj"},
      .norm = NormKind::kRootMeanSquare,
      .rotary = RotaryKind::kWhole,
      .gated_mlp = true,
      .attention_bias = AttentionBias::kNone,
      .mlp_bias = MlpBias::kNone,
      .activations = {"silu"},
  };
}

ArchitectureSpec llama_architecture() {
  ArchitectureSpec spec = llama_like("LlamaForCausalLM", "llama");
  spec.base_architecture = "LlamaModel";
  spec.takes_wide_heads = true;
  spec.attention_bias = AttentionBias::kByField;
  spec.mlp_bias = MlpBias::kByField;
  spec.config_class = "LlamaConfig";
  spec.keys = {
      .read = R"({"vocab_size": 32000, "hidden_size": 4096, "intermediate_size": 11008,
"num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": null,
"hidden_act": "silu", "max_position_embeddings": 2048, "rms_norm_eps": 1e-06,
"bos_token_id": 1, "eos_token_id": 2, "tie_word_embeddings": false,
"rope_parameters": null, "attention_bias": false, "mlp_bias": false, "head_dim":
null})",
      .neutral = R"({"num_experts": 0, "num_local_experts": 0, "sliding_window": null})",
      .ignored = "attention_dropout initializer_range pad_token_id pretraining_tp use_cache"};
  return spec;
}

}  // namespace regroup::models
