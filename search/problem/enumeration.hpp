#pragma once

#include <functional>
#include <vector>

#include "search/problem/problem.hpp"

namespace regroup::search {

/// Calls `visit` with every partition of `heads` heads once: as many as Bell(heads), in the
/// lexicographic order of their labels.
void for_each_partition(int heads, const std::function<void(const Partition&)>& visit);

/// Throws InputError if `units` units of so many heads, free of rules, are too much for
/// GroupingEnumeration.
void require_enumerable(int units, int heads);

/// Every grouping that a problem allows, for ground truth: models of few layers and heads.
class GroupingEnumeration {
 public:
  /// Lists the partitions of every unit. Throws InputError for units of more than 10 heads and for
  /// more than a million groupings. `problem` must outlive it.
  explicit GroupingEnumeration(const GroupingProblem& problem);

  /// Calls `visit` with every grouping once, the last unit's partition changing fastest.
  void for_each(const std::function<void(const Grouping&)>& visit) const;
  /// Groupings that the units' partitions make; rules for the whole model may leave some out.
  std::size_t size() const;

 private:
  const GroupingProblem& problem_;
  std::vector<std::vector<Partition>> partitions_;
};

}  // namespace regroup::search
