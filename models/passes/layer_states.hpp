#pragma once

#include <ATen/ATen.h>

#include <mutex>
#include <stop_token>
#include <vector>

#include "models/inputs/windows.hpp"
#include "models/transformer/transformer.hpp"

namespace regroup::models {

/// The streams of a model at the input of every layer, one a window, computed when first asked for.
/// They are kept for all layers in the model's scratch, where it has one, or where they fit into 2
/// GiB; else for the last layer asked for: then ask in ascending order. Thread-safe.
class LayerStates {
 public:
  /// `windows` must outlive it.
  LayerStates(Transformer transformer, const Windows& windows);

  /// What enters layer 0 … `layers()`; the last is what the final norm receives. Throws
  /// Interrupted.
  std::vector<Stream> at_layer(std::size_t layer, std::stop_token stop) const;
  /// Whether all layers are kept.
  bool keeps_all() const { return keeps_all_; }
  const Transformer& transformer() const { return transformer_; }
  const Windows& windows() const { return windows_; }

 private:
  std::vector<Stream> embedded(std::stop_token stop) const;

  Transformer transformer_;
  const Windows& windows_;
  bool keeps_all_;
  mutable std::mutex mutex_;
  mutable std::vector<std::vector<Stream>> layers_;  // empty where not known or dropped
};

}  // namespace regroup::models
