#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <stop_token>
#include <vector>

#include "models/inputs/windows.hpp"
#include "models/training/batch_gradients.hpp"
#include "search/base/random.hpp"

namespace regroup::models {

/// What a step measured, means over its scored positions; 0 for terms that do not count.
struct StepLosses {
  double total = 0;
  double cross_entropy = 0;
  double divergence = 0;
  double hidden = 0;
};

/// One step's gradients.
struct StepGradients {
  std::vector<at::Tensor> gradients;  ///< of the handles, in their order; undefined: none
  StepLosses losses;
  std::vector<at::Tensor> sums;  ///< of each layer, AttentionPass::sums
};

/// Gradients of the mean loss over the scored positions of all windows. The windows go through in
/// batches of a fixed size, spread over the threads, and what they give is added in their order:
/// the same for any number of threads. Pass k of step `number` draws with `key`'s k-th child.
/// Memory: the activations of a batch for each thread, with `recompute` those of one layer and the
/// input of each; a sum of gradients, and one more for each thread. Throws Interrupted.
StepGradients step_gradients(const StepProblem& problem, const Windows& windows,
                             search::RandomKey key, std::uint64_t number, std::stop_token stop);

}  // namespace regroup::models
