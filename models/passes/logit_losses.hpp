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

// The same of models without a head, from hidden states: a state h of the source stands for the
// Gaussian around it with variance |h|²/2 in every direction.

/// KL(source ‖ model) = |h − h'|²/|h|² at every position: hidden states [positions, D] of both →
/// [positions]. The source's are not differentiated.
at::Tensor state_distances(const at::Tensor& source, const at::Tensor& states);

/// h·h'/(|h| |h'|) at every position, of the same.
at::Tensor state_cosines(const at::Tensor& source, const at::Tensor& states);

/// The gradient at every state of −log p of a point drawn from its own Gaussian, given the numbers
/// of mean 0 and variance 1 that draw it: both [positions, D].
at::Tensor drawn_state_gradient(const at::Tensor& states, const at::Tensor& drawn);

}  // namespace regroup::models
