#pragma once

#include "models/merge/merge_operator.hpp"

namespace regroup::models {

/// The mean of a group's heads, keys and values each, weights and biases (GQA, arXiv 2305.13245;
/// METHODS §1).
class MeanMerge : public MergeOperator {
 public:
  std::string_view name() const override { return "mean"; }
  MergeNeeds needs() const override { return MergeNeeds::kNothing; }
  bool allows_renorm() const override { return true; }
  SharedHead share(const MergeProblem& group) const override;
};

}  // namespace regroup::models
