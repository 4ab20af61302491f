#pragma once

#include <cstddef>
#include <functional>
#include <stop_token>

#include "search/asymgqa/moves.hpp"
#include "search/asymgqa/nearest_heads.hpp"
#include "search/partition.hpp"
#include "search/random.hpp"

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

/// The best partition that a search of one unit met.
struct UnitFound {
  Partition partition;
  std::size_t evaluations = 0;  ///< candidates scored, the start included
};

/// Score of a partition of the unit; less is better.
using PartitionScore = std::function<double(const Partition&)>;

/// AsymGQA's search of one unit (arXiv 2406.14963; METHODS §3): from random groups of equal size (±
/// 1, `random_partition`), as many random moves as there are iterations, the number of groups
/// fixed. A candidate becomes the current partition if it is better than the best so far, else with
/// probability `accept`; the best is kept. A reset replaces the current partition before the move
/// and is not scored itself.
///
/// The distances are only read: the authors' code overwrites rows of them while it searches.
///
/// The start draws from key.split(0); iteration i = 1, 2, … from key.split(i): whether to reset,
/// the random groups if so, the move (`random_move`), and whether to accept a candidate that is not
/// better. One group, and as many groups as heads, leave nothing to choose and nothing is scored.
/// Throws Interrupted on `stop`, and what `score` throws.
UnitFound asymgqa_search_unit(int groups, const NearestHeads& nearest, AsymGqaMoves moves,
                              const AsymGqaOptions& options, const PartitionScore& score,
                              RandomKey key, std::stop_token stop);

/// Candidates that it scores: the start and one an iteration, none where there is no choice.
std::size_t asymgqa_candidates(int heads, int groups, const AsymGqaOptions& options);

}  // namespace regroup::search
