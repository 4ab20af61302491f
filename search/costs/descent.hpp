#pragma once

#include <limits>

#include "search/costs/cost_table.hpp"

namespace regroup::search {

/// Which changes a descent may make.
enum class DescentMoves {
  kMovesAndSwaps,  ///< group sizes may change, the number of groups does not
  kSwaps,          ///< group sizes stay as they are
};

/// Local search: head by head, takes the best move or swap of that head, until no move or swap
/// lowers the cost. The number of groups stays. O(n) questions to the table's state a head; of a
/// table with a sketch a few, for the steps that the sketch ranks first, and so it ends where none
/// of those lowers the cost. Steps beyond `most_work` of pricing are not looked at. The result
/// never costs more than `start`.
Partition descend(const CostTable& table, const Partition& start, DescentMoves moves,
                  double most_work = std::numeric_limits<double>::infinity());

}  // namespace regroup::search
