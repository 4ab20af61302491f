#include "models/architecture/families/families.hpp"

namespace regroup::models {

ArchitectureSpec mistral_architecture() {
  ArchitectureSpec spec = llama_like("MistralForCausalLM");
  spec.attention_bias = AttentionBias::kNone;
  spec.mlp_bias = MlpBias::kNone;
  spec.sliding_window = SlidingWindow::kAllLayers;
  for (const char* field : {"attention_bias", "mlp_bias"}) spec.refused_fields.push_back(field);
  return spec;
}

}  // namespace regroup::models
