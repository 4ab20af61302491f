#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <stop_token>
#include <vector>

#include "models/attention/attention.hpp"

namespace regroup::models {

/// Tokens of a step; of a longer window all.
inline constexpr std::int64_t kReconstructionTokens = 2048;

/// What a converted attention layer reads in each calibration window, and what it should give.
struct ReconstructionWindows {
  std::function<AttentionInput(std::size_t window)> input;  ///< called from any thread
  std::vector<at::Tensor> wanted;                           ///< of each window, [1, length, D]
};

/// Fits all projections and biases of a converted layer at once by steps of Adam on the squared
/// distance from what is wanted, some windows each (block reconstruction: Li et al., BRECQ, ICLR
/// 2021). `source` is the layer that the conversion began with. Rounded to the element types of
/// `start`, and `start` itself if the steps do not come closer over all windows. The same result
/// for any number of threads. O(steps · (4 D · H·d + H · length · d)) a token of a step. Throws
/// Interrupted.
MergedAttention reconstruct(const MergedAttention& start, const Attention& source,
                            const ReconstructionWindows& windows, int steps,
                            const ComputeOptions& options, std::stop_token stop);

}  // namespace regroup::models
