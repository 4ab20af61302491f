#pragma once

#include "search/grouping.hpp"

namespace regroup::search {

/// A score of whole groupings that is not a sum over layers, such as a measured loss; less is
/// better. A search that takes one asks for one grouping at a time, and an implementation may
/// itself spread its work over threads.
class GroupingScore {
 public:
  virtual ~GroupingScore() = default;
  /// Finite, and the same whenever it is asked. Throws Interrupted, WorkError.
  virtual double score(const Grouping& grouping) const = 0;
};

}  // namespace regroup::search
