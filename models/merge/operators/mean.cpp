#include "models/merge/operators/mean.hpp"

namespace regroup::models {

SharedHead MeanMerge::share(const MergeProblem& group) const {
  return SharedHead::weighted(group.layout,
                              Eigen::VectorXd::Constant(group.heads, 1.0 / group.heads));
}

}  // namespace regroup::models
