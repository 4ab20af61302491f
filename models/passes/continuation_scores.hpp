#pragma once

#include <span>
#include <vector>

#include "models/text/continuation.hpp"
#include "models/transformer/transformer.hpp"

namespace regroup::models {

/// Continuations that go through the model together: their inputs have one length, and those with
/// the same inputs share a row.
struct ContinuationBatch {
  std::size_t length = 0;                      ///< of the inputs, tokens
  std::vector<std::vector<std::size_t>> rows;  ///< numbers of the continuations of each row
};

/// Puts all continuations into batches, longest first. Nothing is padded, and the batches depend on
/// the continuations and the kind of device alone, so results do not depend on the number of
/// threads. O(n log n)
/// comparisons of inputs.
std::vector<ContinuationBatch> continuation_batches(std::span<const Continuation> continuations,
                                                    const Device& device);

/// Scores one batch: scores[i] for continuation i. Logits are made of the scored positions only.
void score_batch(const Transformer& transformer, std::span<const Continuation> continuations,
                 const ContinuationBatch& batch, std::span<ContinuationScore> scores);

}  // namespace regroup::models
