#pragma once

#include <algorithm>

#include "search/evolution/pareto.hpp"

namespace regroup::search {

/// What is proven of the groupings of a problem.
struct FrontBounds {
  std::vector<Objectives> bounds;  ///< no grouping of at most this size costs less; ascending
  bool is_exact = false;           ///< some grouping costs no more
};

/// How far a front is from the best possible one.
struct Certificate {
  double hypervolume = 0;  ///< of the front, in [0, 1] (METHODS §8)
  double best = 0;         ///< of the exact front, or an upper bound of it
  bool is_exact = false;   ///< whether `best` is that of the exact front
  double worst_gap = 0;    ///< of the front's points; (error − bound) / error at most

  /// hypervolume / best, at most 1 (rounding may take it above); 1 where nothing can be won.
  double fraction() const { return best > 0 ? std::min(1.0, hypervolume / best) : 1; }
};

}  // namespace regroup::search
