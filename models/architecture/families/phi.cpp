#include "models/architecture/families/families.hpp"

namespace regroup::models {
ArchitectureSpec phi_architecture() {
  constexpr double kPart = 0.5;
  ArchitectureSpec spec = llama_like("PhiForCausalLM", "phi");
  spec.base_architecture = "PhiModel";
  spec.fields.norm_epsilon = "layer_norm_eps";
  spec.model = {.embedding = "model.embed_tokens",
                .final_norm = "model.final_layernorm",
                .head_bias = "lm_head.bias",
                .head = "lm_head"};
  spec.layer.output = "model.layers.{}.self_attn.dense";
  spec.layer.mlp_norm = "";
  spec.layer.gate = "";
  spec.layer.up = "model.layers.{}.mlp.fc1";
  spec.layer.down = "model.layers.{}.mlp.fc2";
  spec.norm = NormKind::kLayerNorm;
  spec.order = ResidualOrder::kParallel;
  spec.rotary = RotaryKind::kPartial;
  spec.rotary_defaults.part = kPart;
  spec.gated_mlp = false;
  spec.attention_bias = AttentionBias::kAll;
  spec.mlp_bias = MlpBias::kAll;
  spec.activations = {"gelu_new", "gelu_pytorch_tanh", "gelu_fast", "gelu", "relu"};
  spec.config_class = "PhiConfig";
  spec.keys = {.read = R"({"vocab_size": 51200, "hidden_size": 2048, "intermediate_size": 8192,
"num_hidden_layers": 24, "num_attention_heads": 32, "num_key_value_heads": null,
"hidden_act": "gelu_new", "max_position_embeddings": 2048, "layer_norm_eps": 1e-05,
"tie_word_embeddings": false, "rope_parameters": null, "bos_token_id": 1,
"eos_token_id": 2})",
               .neutral = R"({"num_experts": 0, "num_local_experts": 0, "qk_layernorm": false})",
               .ignored =
                   "attention_dropout embd_pdrop initializer_range pad_token_id resid_pdrop "
                   "use_cache"};
  return spec;
}

}  // namespace regroup::models
