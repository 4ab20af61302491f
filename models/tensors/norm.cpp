#include "models/tensors/norm.hpp"

#include "models/tensors/tensors.hpp"

namespace regroup::models {

at::Tensor Norm::operator()(const at::Tensor& x) const {
  if (bias.defined()) return at::layer_norm(x, weight.sizes(), weight, bias, epsilon);
  const at::Tensor wide = at_least_float(x);
  const at::Tensor scale = at::rsqrt(wide.square().mean(-1, /*keepdim=*/true) + epsilon);
  return weight * (wide * scale).to(x.scalar_type());
}

}  // namespace regroup::models
