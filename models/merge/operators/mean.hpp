#pragma once

#include "models/merge/merge_operator.hpp"

namespace regroup::models {

/// The mean of a group's heads, keys and values each, weights and biases (GQA, arXiv 2305.13245;
/// METHODS §1).
class MeanMerge : public MergeOperator {
 public:
  std::string_view name() const override { return "mean"; }
  MergedAttention merge(const AttentionWeights& source, const ModelConfig& config,
                        const search::LayerGrouping& grouping) const override;
};

}  // namespace regroup::models
