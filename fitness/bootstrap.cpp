#include "fitness/bootstrap.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "search/base/error.hpp"
#include "search/base/parallel.hpp"

namespace regroup::fitness {
namespace {

void require_one_length(std::span<const std::vector<double>> samples) {
  for (const std::vector<double>& sample : samples) {
    if (!sample.empty() && sample.size() == samples[0].size()) continue;
    throw WorkError({.what = "samples of other windows cannot be compared",
                     .expected = std::to_string(std::max<std::size_t>(1, samples[0].size())),
                     .found = std::to_string(sample.size())});
  }
}

/// How often each window is drawn.
std::vector<double> draw_counts(std::size_t windows, search::RandomKey key) {
  search::RandomStream random(key);
  std::vector<double> counts(windows);
  for (std::size_t draw = 0; draw < windows; ++draw) {
    counts[random.below(static_cast<std::uint64_t>(windows))] += 1;
  }
  return counts;
}

/// The value below which the share `at` of the ascending values lies.
double quantile(std::span<const double> ascending, double at) {
  const double place = at * static_cast<double>(ascending.size() - 1);
  const auto below = static_cast<std::size_t>(std::floor(place));
  const std::size_t above = std::min(below + 1, ascending.size() - 1);
  return std::lerp(ascending[below], ascending[above], place - std::floor(place));
}

}  // namespace

std::vector<std::vector<double>> bootstrap_means(std::span<const std::vector<double>> samples,
                                                 search::RandomKey key, int resamples) {
  require_one_length(samples);
  const auto count = static_cast<std::size_t>(resamples);
  std::vector<std::vector<double>> means(samples.size(), std::vector<double>(count));
  if (samples.empty()) return means;
  const std::size_t windows = samples[0].size();
  search::for_each_chunk(count, [&](std::size_t r) {
    const std::vector<double> counts = draw_counts(windows, key.split(r));
    for (std::size_t i = 0; i < samples.size(); ++i) {
      double sum = 0;
      for (std::size_t w = 0; w < windows; ++w) sum += counts[w] * samples[i][w];
      means[i][r] = sum / static_cast<double>(windows);
    }
  });
  return means;
}

Interval percentile_interval(std::vector<double> means, double confidence) {
  std::ranges::sort(means);
  const double left_out = (1 - confidence) / 2;
  return {quantile(means, left_out), quantile(means, 1 - left_out)};
}

double share_lower(std::span<const double> first, std::span<const double> second) {
  double wins = 0;
  for (std::size_t r = 0; r < first.size(); ++r) {
    wins += first[r] < second[r] ? 1 : first[r] == second[r] ? 0.5 : 0;
  }
  return wins / static_cast<double>(first.size());
}

std::optional<Interval> bootstrap_interval(const std::vector<double>& sample, search::RandomKey key,
                                           double confidence) {
  if (sample.size() < 2) return std::nullopt;
  return percentile_interval(bootstrap_means({&sample, 1}, key)[0], confidence);
}

}  // namespace regroup::fitness
