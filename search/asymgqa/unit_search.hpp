#pragma once

#include <cstddef>
#include <optional>

#include "search/asymgqa/moves.hpp"
#include "search/asymgqa/nearest_heads.hpp"
#include "search/base/random.hpp"
#include "search/groupings/partition.hpp"

namespace regroup::search {

/// Iterations of a unit where nothing else is asked: with prices, enough for the best partition of
/// 8 heads; with a measured score, as in the authors' code.
inline constexpr int kPricedIterations = 5000;
inline constexpr int kMeasuredIterations = 10;

struct AsymGqaOptions {
  int iterations = kPricedIterations;  ///< of each unit, for each number of groups
  double accept = 0.1;  ///< probability to go on from a candidate that is not the best so far
  double reset = 0.1;   ///< probability to start an iteration from a new random grouping
};

/// AsymGQA's search of one unit (arXiv 2406.14963; METHODS §3): from random groups of equal size (±
/// 1, `random_partition`), as many random moves as there are iterations, the number of groups
/// fixed. A candidate becomes the current partition if it is better than the best so far, else with
/// probability `accept`; the best is kept. A reset replaces the current partition before the move
/// and is not scored itself.
///
/// A value. It proposes one candidate after another and is told the score of each, so that several
/// searches may have theirs scored together:
///
///     while (const Partition* candidate = search.candidate()) search.take(score(*candidate));
///
/// The distances are only read: the authors' code overwrites rows of them while it searches.
///
/// The start draws from key.split(0); iteration i = 1, 2, … from key.split(i): whether to reset,
/// the random groups if so, the move (`random_move`), and whether to accept a candidate that is not
/// better. One group, and as many groups as heads, leave nothing to choose and nothing is scored.
class AsymGqaUnitSearch {
 public:
  /// `nearest` must outlive it.
  AsymGqaUnitSearch(int groups, const NearestHeads& nearest, AsymGqaMoves moves,
                    const AsymGqaOptions& options, RandomKey key);

  /// The partition to be scored next; null when the search has ended.
  const Partition* candidate() const { return candidate_ ? &*candidate_ : nullptr; }
  /// Takes the candidate's score, less is better, and goes on to the next one.
  void take(double score);

  /// The best partition so far.
  const Partition& best() const { return best_; }
  /// Candidates scored so far, the start included.
  std::size_t evaluations() const { return evaluations_; }

 private:
  void propose();

  const NearestHeads* nearest_;
  AsymGqaMoves moves_;
  AsymGqaOptions options_;
  RandomKey key_;
  RandomStream random_;  // of the iteration at work
  Partition current_;
  Partition best_;
  double best_score_;
  std::optional<Partition> candidate_;
  std::size_t evaluations_ = 0;
};

/// Candidates that it scores: the start and one an iteration, none where there is no choice.
std::size_t asymgqa_candidates(int heads, int groups, const AsymGqaOptions& options);

}  // namespace regroup::search
