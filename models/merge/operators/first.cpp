#include "models/merge/operators/first.hpp"

namespace regroup::models {

SharedHead FirstMerge::share(const MergeProblem& group) const {
  return SharedHead::weighted(group.layout, Eigen::VectorXd::Unit(group.heads, 0));
}

}  // namespace regroup::models
