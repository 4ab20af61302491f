#include "models/passes/token_sampling.hpp"

#include <algorithm>

namespace regroup::models {

at::Tensor cumulative_probabilities(const at::Tensor& logits) {
  return logits.to(at::kCPU, at::kDouble).softmax(1).cumsum(1).contiguous();
}

std::int32_t pick_token(std::span<const double> cumulative, double draw) {
  const double threshold = draw * cumulative.back();
  const auto at = std::upper_bound(cumulative.begin(), cumulative.end(), threshold);
  // Rounding may leave the threshold at the very end.
  const auto last = std::ssize(cumulative) - 1;
  return static_cast<std::int32_t>(std::min(at - cumulative.begin(), last));
}

at::Tensor draw_tokens(const at::Tensor& logits, search::RandomStream& stream) {
  const at::Tensor cumulative = cumulative_probabilities(logits);
  const auto vocabulary = static_cast<std::size_t>(cumulative.size(1));
  const double* rows = cumulative.const_data_ptr<double>();
  at::Tensor drawn = at::empty({cumulative.size(0)}, at::kLong);
  for (std::int64_t row = 0; row < drawn.size(0); ++row) {
    const std::span<const double> of_row(rows + static_cast<std::size_t>(row) * vocabulary,
                                         vocabulary);
    drawn.data_ptr<std::int64_t>()[row] = pick_token(of_row, stream.unit());
  }
  return drawn;
}

}  // namespace regroup::models
