#include "models/merge/operators/medoid.hpp"

namespace regroup::models {

SharedHead MedoidMerge::share(const MergeProblem& group) const {
  const Eigen::MatrixXd& products = group.weight_products;
  // Σ_i ‖W^i − W^h‖² less what all h have in common.
  const Eigen::VectorXd distances =
      group.heads * products.diagonal() - 2 * products.rowwise().sum();
  Eigen::Index medoid = 0;
  distances.minCoeff(&medoid);  // the first on ties
  return SharedHead::weighted(group.layout, Eigen::VectorXd::Unit(group.heads, medoid));
}

}  // namespace regroup::models
