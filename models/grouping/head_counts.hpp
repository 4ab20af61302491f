#pragma once

#include "models/architecture/model_config.hpp"

namespace regroup::models {

/// What a grouping has to fit: how many attention layers a model has, heads in each of them, and
/// numbers in each head.
struct HeadCounts {
  int layers = 0;
  int query_heads = 0;  ///< H; 0: not known
  int kv_heads = 0;     ///< H_kv
  int head_dim = 0;     ///< d; 0: not known

  static HeadCounts of(const ModelConfig& config) {
    return {config.layers, config.query_heads, config.kv_heads, config.head_dim};
  }
};

}  // namespace regroup::models
