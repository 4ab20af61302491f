#pragma once

#include <vector>

#include "search/exact/budget_split.hpp"
#include "search/problem/problem.hpp"
#include "search/problem/unit_front.hpp"

namespace regroup::search {

/// Ways to group one unit with a cost each, in any order; several may have as many groups. Costs
/// need not fall as groups are added, nor be ≥ 0: measured ones do and are not, by their noise.
using UnitOptions = std::vector<FrontMember>;

/// For every size within the problem's limit that some choice of one option per unit reaches, the
/// cheapest such choice, by ascending size: costs add up over units, so `budget_split` finds it. In
/// shape standard one choice for every number of groups that all units have an option of.
///
/// `options[u]` belongs to unit u; each holds at least one option and numbers of groups that its
/// unit may have. Throws InputError otherwise.
std::vector<Split> option_splits(const GroupingProblem& problem,
                                 const std::vector<UnitOptions>& options);

/// The grouping that takes option `choice[u]` for every unit u.
Grouping chosen_grouping(const GroupingProblem& problem, const std::vector<UnitOptions>& options,
                         const std::vector<int>& choice);

/// The exact front of all choices: those of `option_splits` that no smaller one beats, with their
/// summed costs.
///
/// Example: two units with options of 2 and 4 KV heads, at costs 3 and 0, and at 1 and 0 → (4, 4),
/// (6, 1), (8, 0).
std::vector<ModelPoint> option_front(const GroupingProblem& problem,
                                     const std::vector<UnitOptions>& options);

}  // namespace regroup::search
