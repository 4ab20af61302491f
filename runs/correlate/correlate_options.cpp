#include "runs/correlate/correlate_options.hpp"

#include <fmt/format.h>

#include "models/merge/merge_operator.hpp"
#include "models/merge/operators/merge_table.hpp"
#include "runs/base/option_checks.hpp"
#include "search/base/error.hpp"

namespace regroup::runs {
models::MergeRecipe CorrelateOptions::recipe() const {
  return {models::find_merge(merge), renorm, models::find_refit(refit)};
}

void require_valid(const CorrelateOptions& options) {
  constexpr int kMany = 1'000'000;
  models::require_valid(options.recipe());
  require_range(options.samples, 0, kMany, "--samples");
  require_range(options.tokens, 0, kLargestOption, "--tokens");
  require_range(options.seed, 0, kLargestOption, "--seed");
  for (const double ratio : options.kv) {
    if (ratio > 0 && ratio < 1) continue;
    throw InputError({.what = "KV size is out of range",
                      .where = "--kv",
                      .expected = "above 0 and below 1, the source's size",
                      .found = fmt::format("{}", ratio)});
  }
}

}  // namespace regroup::runs
