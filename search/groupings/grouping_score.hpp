#pragma once

#include <span>
#include <vector>

#include "search/groupings/grouping.hpp"

namespace regroup::search {

/// A score of whole groupings that is not a sum over layers, such as a measured loss; less is
/// better. Called from one thread; an implementation may itself spread a batch over threads.
class GroupingScore {
 public:
  virtual ~GroupingScore() = default;
  /// One finite score for each grouping, which depends on that grouping alone. Throws Interrupted,
  /// WorkError.
  virtual std::vector<double> scores(std::span<const Grouping> groupings) const = 0;

  double score(const Grouping& grouping) const { return scores({&grouping, 1}).front(); }
};

}  // namespace regroup::search
