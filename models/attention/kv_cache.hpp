#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "search/base/error.hpp"

namespace regroup::models {

/// What one attention layer keeps of the positions before the next one, for a batch of sequences:
/// heads, a state, whatever its kind of attention needs, which alone knows what is in it.
class LayerCache {
 public:
  LayerCache() = default;
  LayerCache(const LayerCache&) = delete;
  LayerCache& operator=(const LayerCache&) = delete;
  virtual ~LayerCache() = default;

  /// Of all that it has room for.
  virtual std::int64_t bytes() const = 0;
  /// What one more position of room would add; 0 of a state that does not grow.
  virtual std::int64_t bytes_per_position() const = 0;
};

/// The layer's cache as the kind of attention that made it knows it. Throws WorkError for that of
/// another kind.
template <class Cache>
Cache& cache_as(LayerCache& cache, std::string_view attention) {
  auto* own = dynamic_cast<Cache*>(&cache);
  if (own != nullptr) return *own;
  throw WorkError(
      {.what = "the cache was made by another kind of attention", .where = std::string(attention)});
}

/// Room for the stored heads of one projection, filled position by position. Copies share the room.
class HeadCache {
 public:
  /// `room` [batch, heads, capacity, d], contiguous.
  explicit HeadCache(at::Tensor room) : room_(std::move(room)) {}

  /// Writes [batch, heads, length, d] behind what is there, as far as the capacity goes; gives all
  /// positions so far, [batch, heads, positions, d], without a copy. O(length).
  at::Tensor append(const at::Tensor& fresh);
  std::int64_t bytes() const { return static_cast<std::int64_t>(room_.nbytes()); }
  std::int64_t bytes_per_position() const {
    return room_.size(0) * room_.size(1) * room_.size(3) *
           static_cast<std::int64_t>(room_.element_size());
  }

 private:
  at::Tensor room_;
  std::int64_t length_ = 0;
};

/// Rotated keys and values of one layer, as many heads of each as it stores.
class KeyValueCache : public LayerCache {
 public:
  /// n_K key heads and n_V value heads.
  KeyValueCache(HeadCache keys, HeadCache values)
      : keys_(std::move(keys)), values_(std::move(values)) {}

  HeadCache& keys() { return keys_; }
  HeadCache& values() { return values_; }
  std::int64_t bytes() const override { return keys_.bytes() + values_.bytes(); }
  std::int64_t bytes_per_position() const override {
    return keys_.bytes_per_position() + values_.bytes_per_position();
  }

 private:
  HeadCache keys_;
  HeadCache values_;
};

/// Caches of all layers for one batch of sequences.
struct KvCache {
  std::vector<std::unique_ptr<LayerCache>> layers;
  std::int64_t capacity = 0;  ///< positions that there is room for
  std::int64_t length = 0;    ///< positions seen

  /// Of the room of all layers.
  std::int64_t bytes() const;
  /// What one more position would add to that.
  std::int64_t bytes_per_position() const;
};

}  // namespace regroup::models
