#pragma once

#include <algorithm>

namespace regroup::search {

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
