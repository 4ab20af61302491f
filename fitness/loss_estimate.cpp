#include "fitness/loss_estimate.hpp"

#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "search/base/error.hpp"

namespace regroup::fitness {

LossEstimate estimate(std::span<const double> window_losses) {
  const auto n = static_cast<double>(window_losses.size());
  LossEstimate result;
  result.mean = std::accumulate(window_losses.begin(), window_losses.end(), 0.0) / n;
  if (window_losses.size() < 2) return result;
  double squares = 0;
  for (const double loss : window_losses) {
    squares += (loss - result.mean) * (loss - result.mean);
  }
  result.standard_error = std::sqrt(squares / (n - 1) / n);
  return result;
}

LossEstimate paired_difference(std::span<const double> converted, std::span<const double> source) {
  if (converted.size() != source.size()) {
    throw WorkError({.what = "losses of other windows cannot be compared",
                     .expected = std::to_string(source.size()) + " windows",
                     .found = std::to_string(converted.size())});
  }
  std::vector<double> differences(converted.begin(), converted.end());
  for (std::size_t i = 0; i < differences.size(); ++i) differences[i] -= source[i];
  return estimate(differences);
}

}  // namespace regroup::fitness
