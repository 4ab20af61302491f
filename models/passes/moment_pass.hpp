#pragma once

#include <stop_token>

#include "models/layers/layer_moments.hpp"
#include "models/transformer/transformer.hpp"
#include "search/base/progress.hpp"

namespace regroup::models {

/// Moments of one layer (without gradients) from the streams that enter it, one a window. Summed in
/// double, window by window in a fixed order: the same for any number of threads. Memory:
/// kWindowShares sums of 3 · D² doubles. Throws Interrupted.
LayerMoments layer_moments(const Transformer& model, std::size_t layer,
                           const std::vector<Stream>& streams, std::stop_token stop);

}  // namespace regroup::models
