#pragma once

#include <ATen/ATen.h>

#include "models/architecture/model_config.hpp"
#include "models/tensors/linear.hpp"

namespace regroup::models {

/// The activation, element by element.
at::Tensor activate(Activation activation, const at::Tensor& x);

/// A feed-forward block: down(act(gate x) ⊙ up x), or down(act(up x)) where there is no gate.
struct Mlp {
  Linear gate;  ///< undefined weight: no gate
  Linear up;
  Linear down;
  Activation activation = Activation::kSilu;

  at::Tensor operator()(const at::Tensor& x) const;
};

}  // namespace regroup::models
