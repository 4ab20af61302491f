#pragma once

#include <ATen/ATen.h>

namespace regroup::models {

/// Losses of logits, position by position: what is measured and what training differentiates. All
/// can be differentiated by the model's logits; results are where the logits are, in their type.

/// −log p of every target, a next token or a class: logits [positions, outputs], targets
/// [positions] → [positions].
at::Tensor target_losses(const at::Tensor& logits, const at::Tensor& targets);

/// KL(source ‖ model) at every position: logits [positions, outputs] of both → [positions]. The
/// source's are not differentiated.
///
/// With x = logits − source, less its mean under the source's p, KL = log Σ p eˣ = log(1 + Σ p (eˣ
/// − 1)): of models that are close the terms are small, where those of Σ p (log p − log q) would
/// cancel each other and leave their rounding. Where x could overflow the model is far away, and
/// the plain difference of the normalisers will do.
at::Tensor divergences(const at::Tensor& source, const at::Tensor& logits);

}  // namespace regroup::models
