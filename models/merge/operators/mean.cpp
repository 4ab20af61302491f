#include "models/merge/operators/operators.hpp"

namespace regroup::models {
namespace {

/// The mean of a group's heads, keys and values each, weights and biases (GQA, arXiv 2305.13245;
/// METHODS §1).
class MeanMerge : public MergeOperator {
 public:
  std::string_view name() const override { return "mean"; }
  MergeNeeds needs() const override { return MergeNeeds::kNothing; }
  bool allows_renorm() const override { return true; }
  SharedHead share(const MergeProblem& group) const override;
};

}  // namespace

SharedHead MeanMerge::share(const MergeProblem& group) const {
  return SharedHead::weighted(group.layout,
                              Eigen::VectorXd::Constant(group.heads, 1.0 / group.heads));
}

const MergeOperator& mean_merge() {
  static const MeanMerge instance;
  return instance;
}

}  // namespace regroup::models
