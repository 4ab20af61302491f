#pragma once

#include "models/merge/merge_operator.hpp"

namespace regroup::models {

/// Σ w_h W^h with weights in proportion to the heads' norms under the moment of their input,
/// ‖W^h‖_C (METHODS §7). The mean where all norms are 0.
class WeightedMerge : public MergeOperator {
 public:
  std::string_view name() const override { return "weighted"; }
  MergeNeeds needs() const override { return MergeNeeds::kMoments; }
  bool allows_renorm() const override { return true; }
  SharedHead share(const MergeProblem& group) const override;
};

/// The same with weights in proportion to the Fisher information of the heads, the squared norm of
/// the loss's gradient by their weights (METHODS §7).
class FisherWeightedMerge : public MergeOperator {
 public:
  std::string_view name() const override { return "weighted-fisher"; }
  MergeNeeds needs() const override { return MergeNeeds::kGradients; }
  bool allows_renorm() const override { return true; }
  SharedHead share(const MergeProblem& group) const override;
};

}  // namespace regroup::models
