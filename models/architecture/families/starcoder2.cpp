#include "models/architecture/families/families.hpp"

namespace regroup::models {

ArchitectureSpec starcoder2_architecture() {
  ArchitectureSpec spec = llama_like("Starcoder2ForCausalLM", "starcoder2");
  spec.base_architecture = "Starcoder2Model";
  spec.fields.norm_epsilon = "norm_epsilon";
  spec.fields.attention_bias = "use_bias";
  spec.fields.mlp_bias = "use_bias";
  spec.layer.gate = "";
  spec.layer.up = "model.layers.{}.mlp.c_fc";
  spec.layer.down = "model.layers.{}.mlp.c_proj";
  spec.norm = NormKind::kLayerNorm;
  spec.gated_mlp = false;
  spec.attention_bias = AttentionBias::kByField;
  spec.mlp_bias = MlpBias::kByField;
  spec.sliding_window = SlidingWindow::kAllLayers;
  spec.activations = {"gelu_pytorch_tanh", "gelu_new", "gelu", "relu", "silu"};
  spec.config_class = "Starcoder2Config";
  spec.keys = {.read = R"({"vocab_size": 49152, "hidden_size": 3072, "intermediate_size": 12288,
"num_hidden_layers": 30, "num_attention_heads": 24, "num_key_value_heads": 2,
"hidden_act": "gelu_pytorch_tanh", "max_position_embeddings": 4096, "norm_epsilon":
1e-05, "bos_token_id": 50256, "eos_token_id": 50256, "rope_parameters": null,
"sliding_window": null, "use_bias": true, "tie_word_embeddings": true})",
               .neutral = R"({"num_experts": 0, "num_local_experts": 0})",
               .ignored =
                   "attention_dropout embedding_dropout initializer_range mlp_type pad_token_id "
                   "residual_dropout use_cache"};
  return spec;
}

}  // namespace regroup::models
