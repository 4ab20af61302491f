#include "models/architecture/families/families.hpp"

namespace regroup::models {

ArchitectureSpec llama_like(std::string_view architecture) {
  return {
      .architecture = architecture,
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
      .attention_bias = AttentionBias::kByConfig,
      .mlp_bias = MlpBias::kByConfig,
      .tied_by_default = false,
      .activations = {"silu"},
      .refused_fields = {"quantization_config", "num_experts", "num_local_experts"},
  };
}

ArchitectureSpec llama_architecture() {
  ArchitectureSpec spec = llama_like("LlamaForCausalLM");
  spec.refused_fields.push_back("sliding_window");
  return spec;
}

}  // namespace regroup::models
