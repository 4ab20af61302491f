#include "models/architecture/families/families.hpp"

namespace regroup::models {

ArchitectureSpec gpt2_architecture() {
  return {
      .architecture = "GPT2LMHeadModel",
      .base_prefix = "transformer.",
      .fields = {.layers = "n_layer",
                 .width = "n_embd",
                 .query_heads = "n_head",
                 .mlp_width = "n_inner",
                 .context = "n_positions",
                 .norm_epsilon = "layer_norm_epsilon",
                 .activation = "activation_function"},
      .model = {.embedding = "transformer.wte",
                .positions = "transformer.wpe",
                .final_norm = "transformer.ln_f",
                .head = "lm_head"},
      .layer = {.attention_norm = "transformer.h.{}.ln_1",
                .query = "transformer.h.{}.attn.c_attn",
                .output = "transformer.h.{}.attn.c_proj",
                .mlp_norm = "transformer.h.{}.ln_2",
                .up = "transformer.h.{}.mlp.c_fc",
                .down = "transformer.h.{}.mlp.c_proj"},
      .storage = ProjectionStorage::kFused,
      .transposed = true,
      .activations = {"gelu_new", "gelu_pytorch_tanh", "gelu_fast", "gelu", "relu", "silu"},
      .refused_fields = {"quantization_config", "add_cross_attention",
                         "scale_attn_by_inverse_layer_idx"},
  };
}

}  // namespace regroup::models
