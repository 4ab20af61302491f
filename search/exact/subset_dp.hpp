#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "search/costs/cost_table.hpp"
#include "search/problem/unit_front.hpp"

namespace regroup::search {

/// Most heads that `subset_dp` takes.
inline constexpr int kMostSubsetHeads = 16;

/// Whether a table has few enough heads, and groups cheap enough (pricing_work.hpp), to be solved
/// so.
bool is_small(const CostTable& table);
/// The same of any table of so many heads, `work` that of pricing a group of so many members.
bool is_small(int heads, const std::function<double(int members)>& work);

/// The cheapest partition of a table's heads for every number of groups, exact for any additive
/// table, by dynamic programming over subsets: best[k][S] is the minimum over the T ⊆ S that hold
/// S's lowest head of cost(T) + best[k − 1][S ∖ T] (METHODS §8). O(n · 3ⁿ⁻¹) time, O(n · 2ⁿ⁻¹)
/// memory.
///
/// All 2ⁿ subsets are priced first, in batches: where a price is expensive, callers spread the
/// batches of all their tables over threads.
class SubsetProgram {
 public:
  /// `table` must outlive it. Throws InputError for more than kMostSubsetHeads heads.
  explicit SubsetProgram(const CostTable& table);

  /// Batches of prices; those with the largest subsets come first.
  std::size_t batches() const;
  /// Prices a batch. Thread-safe for different batches.
  void price(std::size_t batch);
  /// Partitions for every number of groups from 1 to n (for equal sizes: for every divisor of n);
  /// the first in order of subsets where several cost the same. Every batch must be priced.
  UnitFront solve(GroupSizes sizes) const;

 private:
  const CostTable& table_;
  std::vector<double> costs_;  // of every subset, head h as bit h
};

/// The same at once, prices spread over the threads.
UnitFront subset_dp(const CostTable& table, GroupSizes sizes);

}  // namespace regroup::search
