#include "models/merge/operators/merge_table.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>

#include "models/merge/operators/aligned.hpp"
#include "models/merge/operators/first.hpp"
#include "models/merge/operators/mean.hpp"
#include "models/merge/operators/medoid.hpp"
#include "models/merge/operators/optimal.hpp"
#include "models/merge/operators/weighted.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

const MeanMerge kMean;
const FirstMerge kFirst;
const MedoidMerge kMedoid;
const WeightedMerge kWeighted;
const FisherWeightedMerge kFisherWeighted;
const AlignedMerge kAligned;
const OptimalMerge kOptimal;

/// Every operator; a new one is one line here.
const std::array<const MergeOperator*, 7> kOperators = {
    &kMean, &kFirst, &kMedoid, &kWeighted, &kFisherWeighted, &kAligned, &kOptimal};

}  // namespace

std::vector<std::string_view> merge_names() {
  std::vector<std::string_view> names;
  for (const MergeOperator* merge : kOperators) names.push_back(merge->name());
  return names;
}

const MergeOperator& find_merge(std::string_view name) {
  for (const MergeOperator* merge : kOperators) {
    if (merge->name() == name) return *merge;
  }
  throw InputError({.what = "merge operator is not known",
                    .expected = fmt::format("one of {}", fmt::join(merge_names(), ", ")),
                    .found = std::string(name)});
}

}  // namespace regroup::models
