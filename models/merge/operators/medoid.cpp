#include "models/merge/operators/operators.hpp"

namespace regroup::models {
namespace {

/// The member that is least far from all others, Σ_{i∈g} ‖W^i − W^h‖²_F, stands for the group; the
/// lowest on ties (METHODS §7).
class MedoidMerge : public MergeOperator {
 public:
  std::string_view name() const override { return "medoid"; }
  MergeNeeds needs() const override { return MergeNeeds::kWeights; }
  SharedHead share(const MergeProblem& group) const override;
};

}  // namespace

SharedHead MedoidMerge::share(const MergeProblem& group) const {
  const Eigen::MatrixXd& products = group.weight_products;
  // Σ_i ‖W^i − W^h‖² less what all h have in common.
  const Eigen::VectorXd distances =
      group.heads * products.diagonal() - 2 * products.rowwise().sum();
  Eigen::Index medoid = 0;
  distances.minCoeff(&medoid);  // the first on ties
  return SharedHead::weighted(group.layout, Eigen::VectorXd::Unit(group.heads, medoid));
}

const MergeOperator& medoid_merge() {
  static const MedoidMerge instance;
  return instance;
}

}  // namespace regroup::models
