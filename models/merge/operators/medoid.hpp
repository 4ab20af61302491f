#pragma once

#include "models/merge/merge_operator.hpp"

namespace regroup::models {

/// The member that is least far from all others, Σ_{i∈g} ‖W^i − W^h‖²_F, stands for the group; the
/// lowest on ties (METHODS §7).
class MedoidMerge : public MergeOperator {
 public:
  std::string_view name() const override { return "medoid"; }
  MergeNeeds needs() const override { return MergeNeeds::kWeights; }
  SharedHead share(const MergeProblem& group) const override;
};

}  // namespace regroup::models
