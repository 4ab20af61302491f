#include "models/attention/relative_bias.hpp"

#include <cmath>

namespace regroup::models {

at::Tensor RelativeBias::buckets(const at::Tensor& distances) const {
  std::int64_t count = config_.buckets;
  at::Tensor first = at::zeros_like(distances);
  at::Tensor behind = -distances.clamp_max(0);
  if (looks_ahead_) {
    count /= 2;
    first = distances.gt(0).to(at::kLong) * count;
    behind = distances.abs();
  }
  const std::int64_t near = count / 2;
  const double far_span =
      std::log(static_cast<double>(config_.max_distance) / static_cast<double>(near));
  const at::Tensor shared =
      near + (at::log(behind.to(at::kFloat) / near) / far_span * (count - near)).to(at::kLong);
  return first + at::where(behind < near, behind, shared.clamp_max(count - 1));
}

at::Tensor RelativeBias::operator()(std::int64_t queries, std::int64_t keys) const {
  const auto options = at::TensorOptions(table_.device()).dtype(at::kLong);
  const at::Tensor distances = at::arange(keys, options).unsqueeze(0) -
                               at::arange(keys - queries, keys, options).unsqueeze(1);
  return at::embedding(table_, buckets(distances)).permute({2, 0, 1}).unsqueeze(0);
}

}  // namespace regroup::models
