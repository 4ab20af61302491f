#pragma once

#include "models/merge/merge_operator.hpp"

namespace regroup::models {

/// The mean of heads that are first turned to agree as well as they can: generalised Procrustes
/// over activations, by the rotations that leave the un-merged model as it is (arXiv 2412.20677;
/// METHODS §7). In a rotary plane that is a phase, elsewhere an orthogonal matrix; its inverse is
/// folded into what reads the head. O(rounds · |g| · d³).
class AlignedMerge : public MergeOperator {
 public:
  std::string_view name() const override { return "aligned"; }
  MergeNeeds needs() const override { return MergeNeeds::kMoments; }
  bool folds() const override { return true; }
  bool allows_renorm() const override { return true; }
  SharedHead share(const MergeProblem& group) const override;
};

}  // namespace regroup::models
