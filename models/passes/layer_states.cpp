#include "models/passes/layer_states.hpp"

#include <utility>

#include "models/passes/settled_stream.hpp"
#include "models/passes/token_losses.hpp"
#include "models/passes/window_pass.hpp"

namespace regroup::models {
namespace {

constexpr double kMostKeptBytes = 2.0 * 1024 * 1024 * 1024;

}  // namespace

LayerStates::LayerStates(Transformer transformer, const Windows& windows)
    : transformer_(std::move(transformer)), windows_(windows), layers_(transformer_.layers() + 1) {
  const double positions =
      static_cast<double>(windows.size()) * static_cast<double>(windows.context());
  const double bytes = positions * static_cast<double>(transformer_.width()) *
                       static_cast<double>(layers_.size()) * sizeof(float);
  keeps_all_ = transformer_.options().scratch != nullptr || bytes <= kMostKeptBytes;
}

std::vector<Stream> LayerStates::embedded(std::stop_token stop) const {
  std::vector<Stream> states(windows_.size());
  for_each_window(
      windows_.size(), transformer_.options().device, std::move(stop), [&](std::size_t window) {
        states[window] =
            settled(transformer_.embed(input_batch(transformer_, windows_, window, window + 1)),
                    transformer_.options());
      });
  return states;
}

std::vector<Stream> LayerStates::at_layer(std::size_t layer, std::stop_token stop) const {
  const std::lock_guard lock(mutex_);
  if (!layers_[layer].empty()) return layers_[layer];
  std::size_t known = layer;
  while (known > 0 && layers_[known].empty()) --known;
  if (layers_[known].empty()) layers_[known] = embedded(stop);
  for (; known < layer; ++known) {
    std::vector<Stream> next(windows_.size());
    const auto at_work = transformer_.with_layer_at_hand(known);
    for_each_window(windows_.size(), transformer_.options().device, stop, [&](std::size_t window) {
      next[window] = settled(at_work->advance(known, layers_[known][window]), at_work->options());
    });
    if (!keeps_all_) layers_[known].clear();
    layers_[known + 1] = std::move(next);
  }
  return layers_[layer];
}

}  // namespace regroup::models
