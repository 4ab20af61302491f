#pragma once

#include <cstddef>

#include "models/layers/layer_moments.hpp"

namespace regroup::models {

/// Moments of a model's layers that are kept outside main memory, for models with so many of them
/// that they do not fit. Thread-safe.
class MomentStore {
 public:
  virtual ~MomentStore() = default;
  /// Those of one layer, read anew at every call. O(D²).
  virtual LayerMoments layer(std::size_t layer) const = 0;
  virtual bool has_gradients() const = 0;
};

}  // namespace regroup::models
