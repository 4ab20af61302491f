#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <span>

#include "search/base/random.hpp"

namespace regroup::models {

/// Cumulative probabilities of logits [rows, vocabulary] at temperature 1, in double on the CPU.
at::Tensor cumulative_probabilities(const at::Tensor& logits);

/// The id at which the cumulative probability passes `draw`, in [0, 1).
std::int32_t pick_token(std::span<const double> cumulative, double draw);

/// One id for every row of logits [rows, vocabulary], drawn one after another: int64 [rows].
at::Tensor draw_tokens(const at::Tensor& logits, search::RandomStream& stream);

}  // namespace regroup::models
