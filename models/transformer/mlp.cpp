#include "models/transformer/mlp.hpp"

namespace regroup::models {

at::Tensor activate(Activation activation, const at::Tensor& x) {
  switch (activation) {
    case Activation::kGelu:
      return at::gelu(x);
    case Activation::kTanhGelu:
      return at::gelu(x, "tanh");
    case Activation::kRelu:
      return at::relu(x);
    default:
      return at::silu(x);
  }
}

at::Tensor Mlp::operator()(const at::Tensor& x) const {
  if (!gate.weight.defined()) return down(activate(activation, up(x)));
  return down(activate(activation, gate(x)) * up(x));
}

}  // namespace regroup::models
