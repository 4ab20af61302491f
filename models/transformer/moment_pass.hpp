#pragma once

#include <stop_token>

#include "models/calibration/layer_moments.hpp"
#include "models/transformer/decoder.hpp"
#include "search/progress.hpp"

namespace regroup::models {

/// Moments of one layer (without gradients) from the hidden states that enter it, one [1, length,
/// D] a window. Summed in double, window by window in a fixed order: the same for any number of
/// threads. Memory: kWindowShares sums of 3 · D² doubles. Throws Interrupted.
LayerMoments layer_moments(const Decoder& decoder, std::size_t layer,
                           const std::vector<at::Tensor>& states, std::stop_token stop);

}  // namespace regroup::models
