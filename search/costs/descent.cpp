#include "search/costs/descent.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <vector>

namespace regroup::search {
namespace {

/// A step must gain more than rounding does, or the descent could walk in circles.
constexpr double kLeastGain = 1e-12;

struct Step {
  double delta = 0;
  Group target;                  // of a move
  std::optional<Head> exchange;  // of a swap
};

/// Steps of a head that are priced where groups are expensive: those that the table's sketch ranks
/// first, fewer where work is limited, so that it is spread over the heads.
constexpr std::size_t kShortlist = 12;
constexpr std::size_t kLimitedShortlist = 3;

/// Calls `visit(target, exchange)` for every step of the head: moves, then swaps, in order.
template <class Visit>
void for_each_step(const PartitionState& state, Head head, DescentMoves moves, const Visit& visit) {
  const Group home = state.group_of(head);
  // A move of a head that is alone would lose a group.
  if (moves == DescentMoves::kMovesAndSwaps && state.members(home).size() > 1) {
    for (int g = 0; g < state.slots(); ++g) {
      if (Group(g) != home) visit(Group(g), std::nullopt);
    }
  }
  for (int other = 0; other < state.heads(); ++other) {
    if (state.group_of(Head(other)) != home) visit(Group(), Head(other));
  }
}

double delta_of(const PartitionState& state, Head head, const Step& step) {
  return step.exchange ? state.swap_delta(head, *step.exchange)
                       : state.move_delta(head, step.target);
}

void take(PartitionState& state, Head head, const Step& step) {
  if (step.exchange) {
    state.swap(head, *step.exchange);
  } else {
    state.move(head, step.target);
  }
}

/// A partition on its way down, and the same one priced by the table's sketch, if it has one.
class Descent {
 public:
  Descent(const CostTable& table, const Partition& start, DescentMoves moves, double most_work)
      : table_(table),
        moves_(moves),
        work_left_(most_work),
        shortlist_(std::isfinite(most_work) ? kLimitedShortlist : kShortlist),
        state_(table.state(start)),
        sketch_(table.sketch()),
        sketched_(sketch_ ? sketch_->state(start) : nullptr),
        threshold_(-kLeastGain * state_->cost()) {}

  const PartitionState& state() const { return *state_; }
  bool has_work_left() const { return work_left_ > 0; }

  /// Takes the head's best step if it gains more than rounding.
  bool improve(Head head) {
    Step best;
    best.delta = threshold_;
    const auto consider = [&](Group target, std::optional<Head> exchange) {
      work_left_ -= work_of(head, target, exchange);
      if (!has_work_left()) return;
      Step step{0, target, exchange};
      step.delta = delta_of(*state_, head, step);
      if (step.delta < best.delta) best = step;
    };
    if (sketched_) {
      for (const Step& step : shortlist(head)) consider(step.target, step.exchange);
    } else {
      for_each_step(*state_, head, moves_, consider);
    }
    if (best.delta >= threshold_) return false;
    take(*state_, head, best);
    if (sketched_) take(*sketched_, head, best);
    return true;
  }

 private:
  /// Of pricing the two groups that a step changes.
  double work_of(Head head, Group target, std::optional<Head> exchange) const {
    const auto size_of = [&](Group group) {
      return static_cast<int>(state_->members(group).size());
    };
    const int home = size_of(state_->group_of(head));
    if (exchange) return table_.work(home) + table_.work(size_of(state_->group_of(*exchange)));
    return table_.work(home - 1) + table_.work(size_of(target) + 1);
  }

  std::vector<Step> shortlist(Head head) const {
    std::vector<Step> steps;
    for_each_step(*sketched_, head, moves_, [&](Group target, std::optional<Head> exchange) {
      steps.push_back({0, target, exchange});
      steps.back().delta = delta_of(*sketched_, head, steps.back());
    });
    std::ranges::stable_sort(steps, {}, &Step::delta);
    if (steps.size() > shortlist_) steps.resize(shortlist_);
    return steps;
  }

  const CostTable& table_;
  DescentMoves moves_;
  double work_left_;
  std::size_t shortlist_;
  std::unique_ptr<PartitionState> state_;
  std::shared_ptr<const CostTable> sketch_;
  std::unique_ptr<PartitionState> sketched_;
  double threshold_;
};

}  // namespace

Partition descend(const CostTable& table, const Partition& start, DescentMoves moves,
                  double most_work) {
  Descent descent(table, start, moves, most_work);
  // Round the heads until each has been looked at since the last step.
  int looked_at = 0;
  for (int head = 0; looked_at < table.heads() && descent.has_work_left();
       head = (head + 1) % table.heads()) {
    looked_at = descent.improve(Head(head)) ? 0 : looked_at + 1;
  }
  const Partition result = descent.state().partition();
  return table.partition_cost(result) < table.partition_cost(start) ? result : start;
}

}  // namespace regroup::search
