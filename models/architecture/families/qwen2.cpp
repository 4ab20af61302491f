#include "models/architecture/families/qwen2.hpp"

#include "models/architecture/families/llama.hpp"

namespace regroup::models {

ArchitectureSpec qwen2_architecture() {
  return {
      .architecture = "Qwen2ForCausalLM",
      .modules = llama_modules(),
      .attention_bias = AttentionBias::kInputs,
      .sliding_window = SlidingWindow::kByFlag,
      .activations = {"silu"},
      .refused_fields = {"quantization_config", "num_experts", "num_local_experts", "mlp_bias"},
  };
}

}  // namespace regroup::models
