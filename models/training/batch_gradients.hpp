#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "models/inputs/windows.hpp"
#include "models/passes/window_pass.hpp"
#include "models/training/training_options.hpp"
#include "models/transformer/transformer.hpp"

namespace regroup::models {

/// What a step differentiates.
struct StepProblem {
  const Transformer& model;
  const Transformer* source;  ///< null where no term of the loss needs it
  LossTerms terms;
  std::vector<at::Tensor> handles;  ///< of the model's tensors
  bool recompute = false;
};

/// Sums over the positions of one batch.
struct BatchLosses {
  double cross_entropy = 0;
  double divergence = 0;
  double hidden = 0;

  void add(const BatchLosses& other) {
    cross_entropy += other.cross_entropy;
    divergence += other.divergence;
    hidden += other.hidden;
  }
};

/// What one batch adds to a step.
struct BatchGradients {
  std::vector<at::Tensor> gradients;
  BatchLosses losses;
  std::vector<at::Tensor> sums;
};

/// The gradients of one batch of windows, of sums over their positions. Records gradients where the
/// calling thread does.
BatchGradients batch_gradients(const StepProblem& problem, const Windows& windows,
                               WindowRange range, const ForwardPass& pass);

/// Adds gradients of which some may be undefined.
void add_defined(std::vector<at::Tensor>& sums, const std::vector<at::Tensor>& parts);

}  // namespace regroup::models
