#pragma once

#include <ATen/ATen.h>

#include <vector>

#include "models/architecture/mixture_config.hpp"

namespace regroup::models {

// Mixtures of keys (Transformer-MGK, arXiv 2110.08678; METHODS §6). Queries [batch, H, length, d];
// of each component m keys [batch, H, key length, d]; `prior` π [M, H] or [M, H, positions],
// clamped to [0, 1]. All in log space: scores of any size give finite results and gradients.

struct KeyMixture {
  std::vector<at::Tensor> keys;
  at::Tensor prior;
  std::vector<double> inverse_variances;  ///< 1/σ_m²
  MixtureStep step = MixtureStep::kGradient;
};

/// logsumexp_m(ln π_jm − |q_i − k_jm|² / 2σ_m²), of a hard step max_m without π:
/// [batch, H, length, key length]. Attention is its softmax over the keys that may be seen.
/// O(M · H · length · key length · d).
at::Tensor mixture_logits(const at::Tensor& queries, const KeyMixture& mixture);

/// γ_ijm summed over the batch and the queries that see key j, as counted by `seen` [length, key
/// length]: [M, H, key length], in double. What it leaves out of the log is added up over passes.
at::Tensor responsibilities(const at::Tensor& queries, const KeyMixture& mixture,
                            const at::Tensor& seen);

/// The prior after a soft step, given Σ γ [M, H, key length] and of each key how many queries of
/// the batch saw it: the mean of γ by position, or over all positions.
at::Tensor soft_prior(const at::Tensor& sums, const at::Tensor& counts, bool by_position);

/// φ(q)ᵀ Σ_m π_m φ(k_m) for every query and key, φ = elu + 1: what each token counts in linear
/// attention before its share is taken, [batch, H, length, key length].
at::Tensor linear_scores(const at::Tensor& queries, const KeyMixture& mixture);

/// The share of each key that may be seen; rows add up to 1.
at::Tensor linear_shares(const at::Tensor& scores, const at::Tensor& seen);

}  // namespace regroup::models
