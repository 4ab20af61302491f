#include "models/merge/operators/weighted.hpp"

namespace regroup::models {
namespace {

SharedHead weighted_by(const MergeProblem& group, const Eigen::VectorXd& importance) {
  const double sum = importance.sum();
  const Eigen::VectorXd even = Eigen::VectorXd::Constant(group.heads, 1.0 / group.heads);
  return SharedHead::weighted(group.layout, sum > 0 ? Eigen::VectorXd(importance / sum) : even);
}

}  // namespace

SharedHead WeightedMerge::share(const MergeProblem& group) const {
  return weighted_by(group, group.squared_norms().cwiseSqrt());
}

SharedHead FisherWeightedMerge::share(const MergeProblem& group) const {
  return weighted_by(group, group.gradients);
}

}  // namespace regroup::models
