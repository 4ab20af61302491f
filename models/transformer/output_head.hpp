#pragma once

#include <ATen/ATen.h>

#include <optional>

#include "models/transformer/embedding.hpp"

namespace regroup::models {

/// What turns the last hidden states into logits. Immutable.
class OutputHead {
 public:
  OutputHead(ModuleReader& reader, const Embedding& embedding);

  /// Hidden states [..., D] → logits [..., outputs], float32 (float64 of a model in float64).
  at::Tensor operator()(const at::Tensor& hidden) const;
  /// The size of the vocabulary, or the number of classes.
  std::int64_t outputs() const { return last_.weight.size(0); }

 private:
  std::optional<Linear> dense_;  // with its activation and norm
  Activation activation_;
  std::optional<Norm> norm_;
  std::optional<Linear> project_;
  Linear last_;
  double scale_;
};

}  // namespace regroup::models
