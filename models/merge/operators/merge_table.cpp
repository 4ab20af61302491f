#include "models/merge/operators/merge_table.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>

#include "models/merge/operators/operators.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

/// Every operator; a new one is one line here.
const auto& operators() {
  static const std::array<const MergeOperator*, 7> kOperators = {
      &mean_merge(),     &first_merge(),           &medoid_merge(),
      &weighted_merge(), &fisher_weighted_merge(), &aligned_merge(),
      &optimal_merge()};
  return kOperators;
}

}  // namespace

std::vector<std::string_view> merge_names() {
  std::vector<std::string_view> names;
  for (const MergeOperator* merge : operators()) names.push_back(merge->name());
  return names;
}

const MergeOperator& find_merge(std::string_view name) {
  for (const MergeOperator* merge : operators()) {
    if (merge->name() == name) return *merge;
  }
  throw InputError({.what = "merge operator is not known",
                    .expected = fmt::format("one of {}", fmt::join(merge_names(), ", ")),
                    .found = std::string(name)});
}

}  // namespace regroup::models
