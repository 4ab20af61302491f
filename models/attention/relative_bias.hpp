#pragma once

#include <ATen/ATen.h>

#include "models/architecture/model_config.hpp"

namespace regroup::models {

/// T5's biases of attention logits by the distance of query and key (arXiv 1910.10683): near
/// distances have buckets of their own, far ones share them logarithmically. Immutable.
class RelativeBias {
 public:
  /// `table` [buckets, H]; `looks_ahead`: keys after the query have half of the buckets.
  RelativeBias(at::Tensor table, const RelativeBiasConfig& config, bool looks_ahead)
      : table_(std::move(table)), config_(config), looks_ahead_(looks_ahead) {}

  const at::Tensor& table() const { return table_; }
  /// The same buckets with another table.
  RelativeBias with_table(at::Tensor table) const {
    return {std::move(table), config_, looks_ahead_};
  }
  /// [1, H, queries, keys] for keys at positions 0, 1, … and queries at the last of them.
  at::Tensor operator()(std::int64_t queries, std::int64_t keys) const;

 private:
  /// The bucket of each distance key − query.
  at::Tensor buckets(const at::Tensor& distances) const;

  at::Tensor table_;
  RelativeBiasConfig config_;
  bool looks_ahead_;
};

}  // namespace regroup::models
