#pragma once

#include <ATen/ATen.h>

#include <utility>
#include <vector>

#include "models/architecture/model_config.hpp"
#include "models/transformer/module_reader.hpp"

namespace regroup::models {

/// The activation, element by element.
at::Tensor activate(Activation activation, const at::Tensor& x);

/// A feed-forward block: down(act(gate x) ⊙ up x), or down(act(up x)) where there is no gate.
struct Mlp {
  Linear gate;  ///< undefined weight: no gate, or one with `up`
  Linear up;    ///< where both are stored as one, gate, then up
  Linear down;
  Activation activation = Activation::kSilu;
  bool is_fused = false;

  at::Tensor operator()(const at::Tensor& x) const;
  /// The same with weights in an element type.
  Mlp in_type(at::ScalarType type) const;
};

/// Sparse experts: each token goes to those that the router gives most.
struct Experts {
  Linear router;
  std::vector<Mlp> experts;
  int per_token = 1;
  bool normalises = false;

  at::Tensor operator()(const at::Tensor& x) const;
  Experts in_type(at::ScalarType type) const;
};

/// What stands in a layer beside its attention.
class FeedForward {
 public:
  FeedForward(ModuleReader& reader, const LayerPlace& place);

  at::Tensor operator()(const at::Tensor& x) const {
    return experts_.experts.empty() ? mlp_(x) : experts_(x);
  }
  FeedForward in_type(at::ScalarType type) const {
    return {mlp_.in_type(type), experts_.in_type(type)};
  }

 private:
  FeedForward(Mlp mlp, Experts experts) : mlp_(std::move(mlp)), experts_(std::move(experts)) {}

  Mlp mlp_;
  Experts experts_;  // none where there is one block for all tokens
};

}  // namespace regroup::models
