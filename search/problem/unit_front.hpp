#pragma once

#include <vector>

#include "search/groupings/partition.hpp"

namespace regroup::search {

/// Which sizes the groups of a partition may have.
enum class GroupSizes {
  kArbitrary,  ///< QCQA-AC
  kEqual,      ///< QCQA-EC
};

/// A partition of one unit's front and what it costs.
struct FrontMember {
  Partition partition;
  double cost = 0;
};

/// Partitions of one unit, from few groups to many, one for each number of groups; never empty.
using UnitFront = std::vector<FrontMember>;

}  // namespace regroup::search
