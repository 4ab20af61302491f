#include "models/passes/continuation_scores.hpp"

#include <algorithm>
#include <numeric>

#include "models/passes/token_losses.hpp"
#include "models/passes/window_pass.hpp"

namespace regroup::models {
namespace {

/// Longest inputs first, the same inputs side by side, otherwise as they were given.
std::vector<std::size_t> batch_order(std::span<const Continuation> continuations) {
  std::vector<std::size_t> order(continuations.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) {
    const auto left = continuations[a].inputs();
    const auto right = continuations[b].inputs();
    if (left.size() != right.size()) return left.size() > right.size();
    return std::ranges::lexicographical_compare(left, right);
  });
  return order;
}

bool takes(const ContinuationBatch& batch, std::size_t length, const Device& device) {
  return batch.length == length && batch.rows.size() < batch_sequences(length, device);
}

/// Inputs of all rows, one after another.
std::vector<std::int32_t> batch_inputs(std::span<const Continuation> continuations,
                                       const ContinuationBatch& batch) {
  std::vector<std::int32_t> ids;
  ids.reserve(batch.rows.size() * batch.length);
  for (const auto& row : batch.rows) {
    const auto inputs = continuations[row.front()].inputs();
    ids.insert(ids.end(), inputs.begin(), inputs.end());
  }
  return ids;
}

/// The scored positions of a batch, continuation by continuation in the order of its rows.
struct ScoredPositions {
  std::vector<std::int32_t> positions;  ///< in the batch: row · length + position in the row
  std::vector<std::int32_t> targets;    ///< the ids that should come next
};

ScoredPositions scored_positions(std::span<const Continuation> continuations,
                                 const ContinuationBatch& batch) {
  ScoredPositions result;
  for (std::size_t row = 0; row < batch.rows.size(); ++row) {
    for (const std::size_t i : batch.rows[row]) {
      const Continuation& continuation = continuations[i];
      for (std::size_t at = batch.length - continuation.scored; at < batch.length; ++at) {
        result.positions.push_back(static_cast<std::int32_t>(row * batch.length + at));
        result.targets.push_back(continuation.ids[at + 1]);
      }
    }
  }
  return result;
}

}  // namespace

std::vector<ContinuationBatch> continuation_batches(std::span<const Continuation> continuations,
                                                    const Device& device) {
  std::vector<ContinuationBatch> batches;
  std::span<const std::int32_t> last;
  for (const std::size_t i : batch_order(continuations)) {
    const auto inputs = continuations[i].inputs();
    if (!batches.empty() && std::ranges::equal(inputs, last)) {
      batches.back().rows.back().push_back(i);
      continue;
    }
    if (batches.empty() || !takes(batches.back(), inputs.size(), device)) {
      batches.push_back({inputs.size(), {}});
    }
    batches.back().rows.push_back({i});
    last = inputs;
  }
  return batches;
}

void score_batch(const Transformer& transformer, std::span<const Continuation> continuations,
                 const ContinuationBatch& batch, std::span<ContinuationScore> scores) {
  const auto tensor = [&](const std::vector<std::int32_t>& ids, std::size_t rows) {
    return id_tensor(ids, static_cast<std::int64_t>(rows), transformer.options());
  };
  const at::Tensor states =
      transformer
          .hidden_states({tensor(batch_inputs(continuations, batch), batch.rows.size()), {}, {}})
          .flatten(0, 1);
  const ScoredPositions scored = scored_positions(continuations, batch);
  const at::Tensor values =
      losses_and_errors(transformer, states.index_select(0, tensor(scored.positions, 1)[0]),
                        tensor(scored.targets, 1)[0]);
  const auto of = values.accessor<double, 2>();
  std::int64_t at = 0;
  for (const auto& row : batch.rows) {
    for (const std::size_t i : row) {
      ContinuationScore score{0, true};
      for (std::size_t n = 0; n < continuations[i].scored; ++n, ++at) {
        score.log_probability -= of[0][at];
        score.greedy = score.greedy && of[1][at] == 0;
      }
      scores[i] = score;
    }
  }
}

}  // namespace regroup::models
