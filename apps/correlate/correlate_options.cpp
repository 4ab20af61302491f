#include "apps/correlate/correlate_options.hpp"

#include <fmt/format.h>

#include <limits>

#include "models/merge/merge_operator.hpp"
#include "search/error.hpp"

namespace regroup::apps {
namespace {

void require_range(std::int64_t value, std::int64_t least, std::int64_t most, const char* option) {
  if (value >= least && value <= most) return;
  throw InputError({.what = "option is out of range",
                    .where = option,
                    .expected = fmt::format("{} to {}", least, most),
                    .found = std::to_string(value)});
}

}  // namespace

models::MergeRecipe CorrelateOptions::recipe() const {
  return {models::find_merge(merge), renorm, models::find_refit(refit)};
}

void require_valid(const CorrelateOptions& options) {
  constexpr int kMany = 1'000'000;
  // Less than the largest number, to which the option parser clamps what does not fit.
  constexpr std::int64_t kLargest = std::numeric_limits<std::int64_t>::max() - 1;
  models::require_valid(options.recipe());
  require_range(options.samples, 0, kMany, "--samples");
  require_range(options.tokens, 0, kLargest, "--tokens");
  require_range(options.seed, 0, kLargest, "--seed");
  for (const double ratio : options.kv) {
    if (ratio > 0 && ratio < 1) continue;
    throw InputError({.what = "KV size is out of range",
                      .where = "--kv",
                      .expected = "above 0 and below 1, the source's size",
                      .found = fmt::format("{}", ratio)});
  }
}

}  // namespace regroup::apps
