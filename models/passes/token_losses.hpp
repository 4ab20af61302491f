#pragma once

#include <functional>
#include <span>
#include <stop_token>

#include "models/inputs/window_score.hpp"
#include "models/inputs/windows.hpp"
#include "models/passes/input_batch.hpp"
#include "models/passes/window_pass.hpp"

namespace regroup::models {

/// What the head takes of windows begin … end − 1 in one batch: [scored positions, D].
at::Tensor batch_states(const Transformer& model, const Windows& windows, std::size_t begin,
                        std::size_t end);

/// Calls `sink` with the `batch_states` of every batch of windows, from any thread. With a scratch
/// all batches go through the model layer by layer, so that its weights are read once; else batch
/// by batch. Throws Interrupted on `stop`.
void for_each_states(const Transformer& model, const Windows& windows, std::stop_token stop,
                     const std::function<void(const at::Tensor& states, WindowRange range)>& sink);

/// −log p of every target, given last hidden states [tokens, D] and targets [tokens], both where
/// the model computes: [tokens], float32, differentiable. The logits of some tokens at a time are
/// in memory, unless gradients are recorded.
at::Tensor state_losses(const Transformer& model, const at::Tensor& states,
                        const at::Tensor& targets);
/// KL(source ‖ model) of every token in the same way, from the last hidden states of both, [tokens,
/// D]; the source is not differentiated.
at::Tensor state_divergences(const Transformer& model, const at::Tensor& states,
                             const Transformer& source, const at::Tensor& source_states);

/// Means over the scored positions of every window of one batch, from its `batch_states`: means[w]
/// for window w. Log-probabilities in float32, sums in double. Not for models that are measured by
/// their source.
void batch_means(const Transformer& model, const at::Tensor& states, const Windows& windows,
                 WindowRange range, TokenMeasure measure, std::span<double> means);

/// Scores of one batch of windows beside the source, from the `batch_states` of both: scores[w] for
/// window w. The losses are bit by bit those of `batch_means`. Of models that are measured by their
/// source, the loss is the cross-entropy with the source's own distribution, the accuracy the
/// agreement with it; of models without a head the loss is the divergence of the hidden states, and
/// both shares are their cosine (logit_losses.hpp).
void batch_scores(const Transformer& model, const at::Tensor& states, const Transformer& source,
                  const at::Tensor& source_states, const Windows& windows, WindowRange range,
                  std::span<WindowScore> scores);

/// What every target costs, given last hidden states [tokens, D] and targets [tokens], both where
/// the model computes: −log p, and 1 where another token is the most likely one, else 0. [2,
/// tokens], double, on the CPU.
at::Tensor losses_and_errors(const Transformer& transformer, const at::Tensor& states,
                             const at::Tensor& targets);

}  // namespace regroup::models
