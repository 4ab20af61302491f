#pragma once

#include "models/merge/merge_operator.hpp"

namespace regroup::models {

/// The lowest head of a group stands for all of it (the ablation of GQA, arXiv 2305.13245).
class FirstMerge : public MergeOperator {
 public:
  std::string_view name() const override { return "first"; }
  MergeNeeds needs() const override { return MergeNeeds::kNothing; }
  SharedHead share(const MergeProblem& group) const override;
};

}  // namespace regroup::models
