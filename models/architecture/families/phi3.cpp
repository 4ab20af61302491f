#include "models/architecture/families/families.hpp"

namespace regroup::models {

ArchitectureSpec phi3_architecture() {
  ArchitectureSpec spec = llama_like("Phi3ForCausalLM", "phi3");
  spec.base_architecture = "Phi3Model";
  spec.layer.query = "model.layers.{}.self_attn.qkv_proj";
  spec.layer.key = "";
  spec.layer.value = "";
  spec.layer.gate = "";
  spec.layer.up = "model.layers.{}.mlp.gate_up_proj";
  spec.rotary = RotaryKind::kPartial;
  spec.fused_mlp = true;
  spec.storage = ProjectionStorage::kFused;
  spec.sliding_window = SlidingWindow::kAllLayers;
  spec.config_class = "Phi3Config";
  spec.keys = {
      .read = R"({"vocab_size": 32064, "hidden_size": 3072, "intermediate_size": 8192,
"num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": null,
"hidden_act": "silu", "max_position_embeddings": 4096,
"original_max_position_embeddings": 4096, "rms_norm_eps": 1e-05,
"tie_word_embeddings": false, "rope_parameters": null, "bos_token_id": 1,
"eos_token_id": 32000, "sliding_window": null})",
      .neutral = R"({"num_experts": 0, "num_local_experts": 0, "attention_bias": false, "mlp_bias":
false, "embd_layer": null, "vocab_layer": null})",
      .ignored =
          "attention_dropout embd_pdrop initializer_range pad_token_id resid_pdrop "
          "use_cache"};
  return spec;
}

}  // namespace regroup::models
