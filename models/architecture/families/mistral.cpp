#include "models/architecture/families/families.hpp"

namespace regroup::models {

ArchitectureSpec mistral_architecture() {
  ArchitectureSpec spec = llama_like("MistralForCausalLM", "mistral");
  spec.base_architecture = "MistralModel";
  spec.takes_wide_heads = true;
  spec.sliding_window = SlidingWindow::kAllLayers;
  spec.config_class = "MistralConfig";
  spec.keys = {
      .read = R"({"vocab_size": 32000, "hidden_size": 4096, "intermediate_size": 14336,
"num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8,
"head_dim": null, "hidden_act": "silu", "max_position_embeddings": 131072,
"rms_norm_eps": 1e-06, "bos_token_id": 1, "eos_token_id": 2, "tie_word_embeddings":
false, "rope_parameters": null, "sliding_window": 4096})",
      .neutral = R"({"num_experts": 0, "num_local_experts": 0, "attention_bias": false, "mlp_bias":
false, "layer_types": null})",
      .ignored =
          "use_sliding_window max_window_layers attention_dropout initializer_range pad_token_id "
          "use_cache"};
  return spec;
}

}  // namespace regroup::models
