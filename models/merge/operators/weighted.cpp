#include "models/merge/operators/operators.hpp"

namespace regroup::models {
namespace {

SharedHead weighted_by(const MergeProblem& group, const Eigen::VectorXd& importance) {
  const double sum = importance.sum();
  const Eigen::VectorXd even = Eigen::VectorXd::Constant(group.heads, 1.0 / group.heads);
  return SharedHead::weighted(group.layout, sum > 0 ? Eigen::VectorXd(importance / sum) : even);
}

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

}  // namespace

SharedHead WeightedMerge::share(const MergeProblem& group) const {
  return weighted_by(group, group.squared_norms().cwiseSqrt());
}

SharedHead FisherWeightedMerge::share(const MergeProblem& group) const {
  return weighted_by(group, group.gradients);
}

const MergeOperator& weighted_merge() {
  static const WeightedMerge instance;
  return instance;
}

const MergeOperator& fisher_weighted_merge() {
  static const FisherWeightedMerge instance;
  return instance;
}

}  // namespace regroup::models
