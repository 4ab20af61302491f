#include "models/refit/layer_states.hpp"

#include <utility>

#include "models/transformer/token_losses.hpp"
#include "models/transformer/window_pass.hpp"

namespace regroup::models {
namespace {

constexpr double kMostBytes = 2.0 * 1024 * 1024 * 1024;

}  // namespace

LayerStates::LayerStates(Decoder decoder, const TokenWindows& windows)
    : decoder_(std::move(decoder)), windows_(windows), layers_(decoder_.layers() + 1) {
  const double bytes = static_cast<double>(windows.tokens()) *
                       static_cast<double>(decoder_.width()) * static_cast<double>(layers_.size()) *
                       sizeof(float);
  keeps_all_ = bytes <= kMostBytes;
}

std::vector<at::Tensor> LayerStates::embedded(std::stop_token stop) const {
  std::vector<at::Tensor> states(windows_.size());
  for_each_window(
      windows_.size(), decoder_.options().device, std::move(stop), [&](std::size_t window) {
        const at::Tensor ids = window_tensor(windows_, window, window + 1, decoder_.options());
        states[window] = decoder_.embed(ids.slice(1, 0, windows_.context()));
      });
  return states;
}

std::vector<at::Tensor> LayerStates::at_layer(std::size_t layer, std::stop_token stop) const {
  const std::lock_guard lock(mutex_);
  if (!layers_[layer].empty()) return layers_[layer];
  std::size_t known = layer;
  while (known > 0 && layers_[known].empty()) --known;
  if (layers_[known].empty()) layers_[known] = embedded(stop);
  for (; known < layer; ++known) {
    std::vector<at::Tensor> next(windows_.size());
    for_each_window(windows_.size(), decoder_.options().device, stop, [&](std::size_t window) {
      next[window] = decoder_.advance(known, layers_[known][window]);
    });
    if (!keeps_all_) layers_[known].clear();
    layers_[known + 1] = std::move(next);
  }
  return layers_[layer];
}

}  // namespace regroup::models
