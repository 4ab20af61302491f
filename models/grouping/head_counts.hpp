#pragma once

#include "models/architecture/model_config.hpp"

namespace regroup::models {

/// What a grouping has to fit: how many attention layers a model has, and heads in each of them.
struct HeadCounts {
  int layers = 0;
  int query_heads = 0;  ///< H; 0: not known
  int kv_heads = 0;     ///< H_kv

  static HeadCounts of(const ModelConfig& config) {
    return {config.layers, config.query_heads, config.kv_heads};
  }
};

}  // namespace regroup::models
