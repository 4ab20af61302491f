#pragma once

#include <vector>

#include "search/evolution/pareto.hpp"

namespace regroup::search {

/// One of the options of a unit: the KV heads it stores and what it costs.
struct SplitOption {
  int size = 0;
  double cost = 0;
};

/// The cheapest choice of one option per unit with a given total size.
struct Split {
  int size = 0;
  double cost = 0;
  std::vector<int> choice;  ///< an option number per unit
};

/// For every total size up to `limit` that some choice reaches exactly, the cheapest such choice,
/// by ascending size: a multiple-choice knapsack by dynamic programming over sizes (METHODS §8).
/// Costs are summed in the order of the units; on ties the earlier option of the later unit stays.
///
/// O(limit · Σ options / g) time with g the greatest common divisor of all sizes. Every unit has at
/// least one option; sizes are ≥ 1.
std::vector<Split> budget_split(const std::vector<std::vector<SplitOption>>& units, int limit);

/// Of splits by ascending size, those that cost less than every smaller one.
std::vector<Split> improving_splits(std::vector<Split> splits);
/// Of splits by ascending size, at each size the least cost up to it.
std::vector<Objectives> least_costs(const std::vector<Split>& splits);

}  // namespace regroup::search
