#include "search/descent.hpp"

#include <memory>
#include <optional>

namespace regroup::search {
namespace {

/// A step must gain more than rounding does, or the descent could walk in circles.
constexpr double kLeastGain = 1e-12;

struct Step {
  double delta = 0;
  Head head;
  Group target;                  // of a move
  std::optional<Head> exchange;  // of a swap
};

void consider_moves(const PartitionState& state, Step& best) {
  for (int h = 0; h < state.heads(); ++h) {
    const Head head(h);
    if (state.members(state.group_of(head)).size() == 1) continue;  // would lose a group
    for (int g = 0; g < state.slots(); ++g) {
      const double delta = state.move_delta(head, Group(g));
      if (delta < best.delta) best = {delta, head, Group(g), std::nullopt};
    }
  }
}

void consider_swaps(const PartitionState& state, Step& best) {
  for (int a = 0; a < state.heads(); ++a) {
    for (int b = 0; b < a; ++b) {
      const double delta = state.swap_delta(Head(a), Head(b));
      if (delta < best.delta) best = {delta, Head(a), Group(), Head(b)};
    }
  }
}

}  // namespace

Partition descend(const CostTable& table, const Partition& start, DescentMoves moves) {
  const std::unique_ptr<PartitionState> state = table.state(start);
  const double threshold = -kLeastGain * state->cost();
  while (true) {
    Step best;
    best.delta = threshold;
    if (moves == DescentMoves::kMovesAndSwaps) consider_moves(*state, best);
    consider_swaps(*state, best);
    if (best.delta >= threshold) break;
    if (best.exchange) {
      state->swap(best.head, *best.exchange);
    } else {
      state->move(best.head, best.target);
    }
  }
  const Partition result = state->partition();
  return table.partition_cost(result) < table.partition_cost(start) ? result : start;
}

}  // namespace regroup::search
