#pragma once

#include "models/merge/merge_operator.hpp"

namespace regroup::models {

/// The shared head of least error under the moments of attention, in closed form (METHODS §7): in a
/// rotary plane the top eigenpair of the members' Gram, weighted by query energies; elsewhere the
/// truncated singular value decomposition of the stacked members. O((|g| · d)³).
class OptimalMerge : public MergeOperator {
 public:
  std::string_view name() const override { return "optimal"; }
  MergeNeeds needs() const override { return MergeNeeds::kMoments; }
  MergeMetric metric() const override { return MergeMetric::kAttention; }
  bool folds() const override { return true; }
  SharedHead share(const MergeProblem& group) const override;
};

}  // namespace regroup::models
