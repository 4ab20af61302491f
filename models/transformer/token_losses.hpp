#pragma once

#include <span>

#include "models/text/token_windows.hpp"
#include "models/transformer/decoder.hpp"
#include "models/window_score.hpp"

namespace regroup::models {

/// ids [batch · length] as an int64 tensor [batch, length] where the decoder computes.
at::Tensor id_tensor(std::span<const std::int32_t> ids, std::int64_t batch,
                     const ComputeOptions& options);

/// Windows begin … end − 1 as one batch of ids [windows, context + 1].
at::Tensor window_tensor(const TokenWindows& windows, std::size_t begin, std::size_t end,
                         const ComputeOptions& options);

/// Last hidden states of windows begin … end − 1 in one batch: [windows · context, D].
at::Tensor batch_states(const Decoder& decoder, const TokenWindows& windows, std::size_t begin,
                        std::size_t end);

/// Means over the tokens of every window of one batch, from window `begin` on, from its
/// `batch_states`: means[w] for window w. Log-probabilities in float32, sums in double.
void batch_means(const Decoder& decoder, const at::Tensor& states, const TokenWindows& windows,
                 std::size_t begin, TokenMeasure measure, std::span<double> means);

/// Scores of one batch of windows from `begin` on, beside the source, from the `batch_states` of
/// both: scores[w] for window w. The losses are bit by bit those of `batch_means`.
void batch_scores(const Decoder& decoder, const at::Tensor& states, const Decoder& source,
                  const at::Tensor& source_states, const TokenWindows& windows, std::size_t begin,
                  std::span<WindowScore> scores);

/// What every target costs, given last hidden states [tokens, D] and targets [tokens], both where
/// the decoder computes: −log p, and 1 where another token is the most likely one, else 0. [2,
/// tokens], double, on the CPU.
at::Tensor losses_and_errors(const Decoder& decoder, const at::Tensor& states,
                             const at::Tensor& targets);

}  // namespace regroup::models
