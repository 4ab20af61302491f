#include "models/tensors/norm.hpp"

#include "models/tensors/tensors.hpp"

namespace regroup::models {

at::Tensor root_mean_square_norm(const at::Tensor& x, const at::Tensor& mean_of_squares,
                                 const Norm& norm) {
  const at::Tensor unit = at_least_float(x) * at::rsqrt(mean_of_squares + norm.epsilon);
  if (norm.kind == NormKind::kRootMeanSquare) return norm.weight * unit.to(x.scalar_type());
  return (unit * (at_least_float(norm.weight) + 1)).to(x.scalar_type());
}

at::Tensor Norm::operator()(const at::Tensor& x) const {
  const bool is_centred =
      kind != NormKind::kRootMeanSquare && kind != NormKind::kOffsetRootMeanSquare;
  if (is_centred) return at::layer_norm(x, {x.size(-1)}, weight, bias, epsilon);
  const at::Tensor wide = at_least_float(x);
  return root_mean_square_norm(x, wide.square().mean(-1, /*keepdim=*/true), *this);
}

}  // namespace regroup::models
