#pragma once

#include <ATen/ATen.h>

#include <vector>

namespace regroup::models {

/// Room for the stored heads of one projection, key or value, filled position by position. Copies
/// share the room.
class HeadCache {
 public:
  /// `room` [batch, heads, capacity, d], contiguous.
  explicit HeadCache(at::Tensor room) : room_(std::move(room)) {}

  /// Writes [batch, heads, length, d] behind what is there, as far as the capacity goes; gives all
  /// positions so far, [batch, heads, positions, d], without a copy. O(length).
  at::Tensor append(const at::Tensor& fresh);
  std::int64_t bytes() const { return static_cast<std::int64_t>(room_.nbytes()); }

 private:
  at::Tensor room_;
  std::int64_t length_ = 0;
};

/// Rotated keys and values of one layer, as many heads of each as it stores.
struct LayerCache {
  HeadCache keys;    ///< n_K heads
  HeadCache values;  ///< n_V heads
};

/// Key/value caches of all layers for one batch of sequences.
struct KvCache {
  std::vector<LayerCache> layers;
  std::int64_t capacity = 0;  ///< positions that there is room for
  std::int64_t length = 0;    ///< positions seen

  /// Of the room of all layers.
  std::int64_t bytes() const;
};

}  // namespace regroup::models
