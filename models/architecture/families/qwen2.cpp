#include "models/architecture/families/families.hpp"

namespace regroup::models {

ArchitectureSpec qwen2_architecture() {
  ArchitectureSpec spec = llama_like("Qwen2ForCausalLM");
  spec.attention_bias = AttentionBias::kInputs;
  spec.mlp_bias = MlpBias::kNone;
  spec.sliding_window = SlidingWindow::kByFlag;
  spec.refused_fields.push_back("mlp_bias");
  return spec;
}

}  // namespace regroup::models
