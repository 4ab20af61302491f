#pragma once

#include <cstddef>
#include <functional>
#include <stop_token>

#include "models/layers/layer_moments.hpp"
#include "models/passes/layer_states.hpp"
#include "search/base/random.hpp"

namespace regroup::models {

using LayerDone = std::function<void(std::size_t layer, LayerGradients gradients)>;
using TokensDone = std::function<void(std::size_t tokens)>;

/// What one backward pass over the windows says of every layer (METHODS §7, "fisher price"): labels
/// are drawn from the model's own distribution, window w with key.split(w). A layer's graph is
/// built anew when its turn comes, so that memory holds, for every thread, one layer's graph and a
/// sum of D² doubles. Where states are kept for all layers, all windows go backwards together, and
/// each layer is done before the one in front of it; else kWindowShares at a time, whose states are
/// made anew, with one sum more for each layer. Callbacks: each layer once; tokens of a layer that
/// have passed, from any thread. Throws Interrupted.
void gradient_pass(const LayerStates& states, int kv_heads, search::RandomKey key,
                   std::stop_token stop, const LayerDone& layer_done,
                   const TokensDone& tokens_done);

}  // namespace regroup::models
