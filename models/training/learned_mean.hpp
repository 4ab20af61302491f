#pragma once

#include <ATen/ATen.h>

#include "models/training/training_options.hpp"
#include "search/base/random.hpp"
#include "search/groupings/partition.hpp"

namespace regroup::models {

/// The weights that a learned mean begins with, double, [heads], [heads, d] or [heads, D]: 1/|g| of
/// a head's group, or N(0, 1).
at::Tensor first_mean_weights(LearnedMean form, LearnedStart start,
                              const search::Partition& partition, std::int64_t head_dim,
                              std::int64_t width, search::RandomKey key);

/// Σ over each group's heads of w_h ⊙ W^h: a projection [heads · d, D] → [groups · d, D], in double
/// (WGQA, arXiv 2407.10855; METHODS §5). Differentiable by both.
at::Tensor learned_mean(const at::Tensor& projection, const at::Tensor& weights, LearnedMean form,
                        const search::Partition& partition);

/// The same of a bias [heads · d]. Weights that scale columns are none of its: it becomes the mean.
at::Tensor learned_mean_of_bias(const at::Tensor& bias, const at::Tensor& weights, LearnedMean form,
                                const search::Partition& partition);

}  // namespace regroup::models
