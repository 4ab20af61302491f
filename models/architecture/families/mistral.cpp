#include "models/architecture/families/mistral.hpp"

#include "models/architecture/families/llama.hpp"

namespace regroup::models {

ArchitectureSpec mistral_architecture() {
  return {
      .architecture = "MistralForCausalLM",
      .modules = llama_modules(),
      .sliding_window = SlidingWindow::kAllLayers,
      .activations = {"silu"},
      .refused_fields = {"quantization_config", "num_experts", "num_local_experts",
                         "attention_bias", "mlp_bias"},
  };
}

}  // namespace regroup::models
