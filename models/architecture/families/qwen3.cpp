#include "models/architecture/families/families.hpp"

namespace regroup::models {

ArchitectureSpec qwen3_architecture() {
  ArchitectureSpec spec = llama_like("Qwen3ForCausalLM", "qwen3");
  spec.base_architecture = "Qwen3Model";
  spec.layer.query_norm = "model.layers.{}.self_attn.q_norm";
  spec.layer.key_norm = "model.layers.{}.self_attn.k_norm";
  spec.query_key_norm = QueryKeyNorm::kByHead;
  spec.attention_bias = AttentionBias::kByField;
  spec.sliding_window = SlidingWindow::kByFlag;
  spec.config_class = "Qwen3Config";
  spec.keys = {.read = R"({"vocab_size": 151936, "hidden_size": 4096, "intermediate_size": 22016,
"num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 32,
"head_dim": 128, "hidden_act": "silu", "max_position_embeddings": 32768,
"rms_norm_eps": 1e-06, "tie_word_embeddings": false, "rope_parameters": null,
"attention_bias": false, "use_sliding_window": false, "sliding_window": 4096,
"max_window_layers": 28, "layer_types": null, "bos_token_id": null, "eos_token_id":
null})",
               .neutral = R"({"num_experts": 0, "num_local_experts": 0, "mlp_bias": false})",
               .ignored = "attention_dropout initializer_range pad_token_id use_cache"};
  return spec;
}

}  // namespace regroup::models
