#include "models/architecture/families/llama.hpp"

namespace regroup::models {

ModuleNames llama_modules() {
  return {
      .embedding = "model.embed_tokens",
      .attention_norm = "model.layers.{}.input_layernorm",
      .query = "model.layers.{}.self_attn.q_proj",
      .key = "model.layers.{}.self_attn.k_proj",
      .value = "model.layers.{}.self_attn.v_proj",
      .output = "model.layers.{}.self_attn.o_proj",
      .mlp_norm = "model.layers.{}.post_attention_layernorm",
      .gate = "model.layers.{}.mlp.gate_proj",
      .up = "model.layers.{}.mlp.up_proj",
      .down = "model.layers.{}.mlp.down_proj",
      .final_norm = "model.norm",
      .head = "lm_head",
  };
}

ArchitectureSpec llama_architecture() {
  return {
      .architecture = "LlamaForCausalLM",
      .modules = llama_modules(),
      .activations = {"silu"},
      .refused_fields = {"quantization_config", "num_experts", "num_local_experts",
                         "sliding_window"},
  };
}

}  // namespace regroup::models
