#include "models/architecture/families/families.hpp"

namespace regroup::models {
namespace {

/// Qwen3's own default, which its config may leave out.
constexpr int kUsualHeadDim = 128;

}  // namespace

ArchitectureSpec qwen3_architecture() {
  ArchitectureSpec spec = llama_like("Qwen3ForCausalLM");
  spec.layer.query_norm = "model.layers.{}.self_attn.q_norm";
  spec.layer.key_norm = "model.layers.{}.self_attn.k_norm";
  spec.query_key_norm = true;
  spec.usual_head_dim = kUsualHeadDim;
  spec.mlp_bias = MlpBias::kNone;
  spec.sliding_window = SlidingWindow::kByFlag;
  spec.refused_fields.push_back("mlp_bias");
  return spec;
}

}  // namespace regroup::models
