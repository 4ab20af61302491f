#pragma once

#include <functional>
#include <span>
#include <stop_token>

#include "models/inputs/windows.hpp"
#include "models/layers/layer_moments.hpp"
#include "models/transformer/transformer.hpp"
#include "search/base/random.hpp"

namespace regroup::models {

/// What one backward pass over the windows says of every layer (METHODS §7, "fisher price"): labels
/// are drawn from the model's own distribution, window w with key.split(w). A layer's graph is
/// built anew when its turn comes, so that memory holds, for every thread, one layer's graph and
/// the hidden states of one window; for kWindowShares windows the gradients at every layer's
/// output; and one sum of D² doubles a layer. `done` is called after each window, from any thread.
/// Throws Interrupted.
std::vector<LayerGradients> gradient_pass(const Transformer& transformer, const Windows& windows,
                                          int kv_heads, search::RandomKey key, std::stop_token stop,
                                          const std::function<void(std::size_t window)>& done);

}  // namespace regroup::models
