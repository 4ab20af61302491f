#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <vector>

#include "models/training/trained_weights.hpp"

namespace torch::optim {
class AdamW;
}

namespace regroup::models {

/// AdamW (Loshchilov and Hutter, arXiv 1711.05101) with β 0.9 and 0.95, ε 1e-8, LibTorch's, on
/// tensors of a training. What it has learned can be read and put back.
class Optimizer {
 public:
  /// Refers to the tensors, which it changes.
  Optimizer(const std::vector<TrainedTensor>& tensors, double decay);
  ~Optimizer();

  /// Changes every tensor that has a gradient.
  void step(const std::vector<at::Tensor>& gradients, double rate);

  /// Of each tensor the running means of its gradients and of their squares; undefined where it had
  /// none yet.
  struct Moments {
    at::Tensor first;
    at::Tensor second;
  };
  std::vector<Moments> moments() const;
  /// Goes on from there, `steps` steps in.
  void restore(const std::vector<Moments>& moments, std::int64_t steps);

 private:
  std::vector<at::Tensor> tensors_;
  std::unique_ptr<torch::optim::AdamW> adam_;
};

/// The norm of all gradients together.
double gradient_norm(const std::vector<at::Tensor>& gradients);
/// Scales them to the norm `most` where theirs, `norm`, is larger, as torch does; 0: never.
void clip_gradients(std::vector<at::Tensor>& gradients, double norm, double most);

}  // namespace regroup::models
