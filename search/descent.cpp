#include "search/descent.hpp"

#include <memory>
#include <optional>

namespace regroup::search {
namespace {

/// A step must gain more than rounding does, or the descent could walk in circles.
constexpr double kLeastGain = 1e-12;

struct Step {
  double delta = 0;
  Group target;                  // of a move
  std::optional<Head> exchange;  // of a swap
};

void consider_moves(const PartitionState& state, Head head, Step& best) {
  if (state.members(state.group_of(head)).size() == 1) return;  // would lose a group
  for (int g = 0; g < state.slots(); ++g) {
    const double delta = state.move_delta(head, Group(g));
    if (delta < best.delta) best = {delta, Group(g), std::nullopt};
  }
}

void consider_swaps(const PartitionState& state, Head head, Step& best) {
  for (int other = 0; other < state.heads(); ++other) {
    const double delta = state.swap_delta(head, Head(other));
    if (delta < best.delta) best = {delta, Group(), Head(other)};
  }
}

/// Takes the head's best step if it gains more than the threshold (negative).
bool improve(PartitionState& state, Head head, DescentMoves moves, double threshold) {
  Step best;
  best.delta = threshold;
  if (moves == DescentMoves::kMovesAndSwaps) consider_moves(state, head, best);
  consider_swaps(state, head, best);
  if (best.delta >= threshold) return false;
  if (best.exchange) {
    state.swap(head, *best.exchange);
  } else {
    state.move(head, best.target);
  }
  return true;
}

}  // namespace

Partition descend(const CostTable& table, const Partition& start, DescentMoves moves) {
  const std::unique_ptr<PartitionState> state = table.state(start);
  const double threshold = -kLeastGain * state->cost();
  // Round the heads until each has been looked at since the last step.
  int looked_at = 0;
  for (int head = 0; looked_at < state->heads(); head = (head + 1) % state->heads()) {
    looked_at = improve(*state, Head(head), moves, threshold) ? 0 : looked_at + 1;
  }
  const Partition result = state->partition();
  return table.partition_cost(result) < table.partition_cost(start) ? result : start;
}

}  // namespace regroup::search
