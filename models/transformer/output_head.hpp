#pragma once

#include <ATen/ATen.h>

#include <optional>

#include "models/transformer/embedding.hpp"

namespace regroup::models {

/// What turns the last hidden states into logits. Immutable.
class OutputHead {
 public:
  OutputHead(ModuleReader& reader, const Embedding& embedding);

  /// Hidden states [..., D] → logits [..., outputs], float32 (float64 of a model in float64); of a
  /// model without a head the hidden states themselves.
  at::Tensor operator()(const at::Tensor& hidden) const;
  /// The size of the vocabulary, the number of classes, or D of a model without a head.
  std::int64_t outputs() const { return outputs_; }
  bool has_logits() const { return last_.weight.defined(); }

 private:
  std::optional<Linear> dense_;
  Activation activation_;     // of dense_
  std::optional<Norm> norm_;  // of what it gives
  std::optional<Linear> project_;
  Linear last_;
  double scale_;
  std::optional<double> cap_;
  std::int64_t outputs_;
};

}  // namespace regroup::models
