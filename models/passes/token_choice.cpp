#include "models/passes/token_choice.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "models/passes/token_sampling.hpp"

namespace regroup::models {
namespace {

using Ids = std::vector<std::int32_t>;

/// How likely every token is beside the most likely one, e^((logit − largest) / temperature).
std::vector<double> likelihoods(std::span<const float> logits, double temperature) {
  const double largest = *std::ranges::max_element(logits);
  std::vector<double> result(logits.size());
  std::ranges::transform(logits, result.begin(),
                         [&](float logit) { return std::exp((logit - largest) / temperature); });
  return result;
}

/// The most likely tokens, most likely first, until `is_enough` of them, given their number and how
/// likely they are together.
template <class IsEnough>
Ids most_likely(const std::vector<double>& likely, Ids candidates, IsEnough is_enough) {
  const auto comes_later = [&](std::int32_t a, std::int32_t b) {
    const double of_a = likely[static_cast<std::size_t>(a)];
    const double of_b = likely[static_cast<std::size_t>(b)];
    return of_a != of_b ? of_a < of_b : a > b;
  };
  std::ranges::make_heap(candidates, comes_later);
  Ids kept;
  double together = 0;
  while (!candidates.empty() && !is_enough(kept.size(), together)) {
    std::ranges::pop_heap(candidates, comes_later);
    kept.push_back(candidates.back());
    together += likely[static_cast<std::size_t>(kept.back())];
    candidates.pop_back();
  }
  return kept;
}

/// The tokens that may be drawn.
Ids candidates_of(const std::vector<double>& likely, const SamplingOptions& options) {
  Ids ids(likely.size());
  std::iota(ids.begin(), ids.end(), 0);
  if (options.top_k > 0) {
    const auto most = static_cast<std::size_t>(options.top_k);
    ids =
        most_likely(likely, std::move(ids), [&](std::size_t kept, double) { return kept == most; });
  }
  if (options.top_p < 1) {
    double all = 0;
    for (const std::int32_t id : ids) all += likely[static_cast<std::size_t>(id)];
    const double wanted = options.top_p * all;
    ids = most_likely(likely, std::move(ids),
                      [&](std::size_t, double together) { return together >= wanted; });
  }
  return ids;
}

}  // namespace

std::int32_t choose_token(std::span<const float> logits, const SamplingOptions& options,
                          search::RandomStream& stream) {
  if (options.temperature == 0) {
    return static_cast<std::int32_t>(std::ranges::max_element(logits) - logits.begin());
  }
  const std::vector<double> likely = likelihoods(logits, options.temperature);
  const Ids ids = candidates_of(likely, options);
  std::vector<double> cumulative(ids.size());
  double sum = 0;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    sum += likely[static_cast<std::size_t>(ids[i])];
    cumulative[i] = sum;
  }
  return ids[static_cast<std::size_t>(pick_token(cumulative, stream.unit()))];
}

}  // namespace regroup::models
