#pragma once

#include <ATen/ATen.h>

#include <mutex>
#include <stop_token>
#include <vector>

#include "models/text/token_windows.hpp"
#include "models/transformer/decoder.hpp"

namespace regroup::models {

/// The hidden states of a model at the input of every layer, one [1, length, D] a window, computed
/// when first asked for. They are kept for all layers where they fit into 2 GiB, else for the last
/// layer asked for: then ask in ascending order. Thread-safe.
class LayerStates {
 public:
  /// `windows` must outlive it.
  LayerStates(Decoder decoder, const TokenWindows& windows);

  /// What enters layer 0 … `layers()`; the last is what the final norm receives. Throws
  /// Interrupted.
  std::vector<at::Tensor> at_layer(std::size_t layer, std::stop_token stop) const;
  const Decoder& decoder() const { return decoder_; }
  const TokenWindows& windows() const { return windows_; }

 private:
  std::vector<at::Tensor> embedded(std::stop_token stop) const;

  Decoder decoder_;
  const TokenWindows& windows_;
  bool keeps_all_;
  mutable std::mutex mutex_;
  mutable std::vector<std::vector<at::Tensor>> layers_;  // empty where not known or dropped
};

}  // namespace regroup::models
