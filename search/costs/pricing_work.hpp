#pragma once

#include <functional>

#include "search/costs/cost_table.hpp"

namespace regroup::search {

/// Work, in multiplications, up to which all groups of a unit are priced: some minutes on one
/// processor.
inline constexpr double kMostPricingWork = 3e12;
/// Work that goes into improving the partitions of a unit whose groups are too dear for that.
inline constexpr double kMostPolishingWork = 1e12;

/// Σ over the groups of two and more of n heads, `work` that of a group of so many heads.
double work_of_all_groups(int heads, const std::function<double(int members)>& work);

/// Whether pricing every group of the table's heads is more work than kMostPricingWork: searches
/// then look at its sketch, and price what they have found.
bool is_costly(const CostTable& table);

}  // namespace regroup::search
