#include "models/merge/operators/operators.hpp"

namespace regroup::models {
namespace {

/// The lowest head of a group stands for all of it (the ablation of GQA, arXiv 2305.13245).
class FirstMerge : public MergeOperator {
 public:
  std::string_view name() const override { return "first"; }
  MergeNeeds needs() const override { return MergeNeeds::kNothing; }
  SharedHead share(const MergeProblem& group) const override;
};

}  // namespace

SharedHead FirstMerge::share(const MergeProblem& group) const {
  return SharedHead::weighted(group.layout, Eigen::VectorXd::Unit(group.heads, 0));
}

const MergeOperator& first_merge() {
  static const FirstMerge instance;
  return instance;
}

}  // namespace regroup::models
