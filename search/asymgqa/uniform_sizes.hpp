#pragma once

#include <vector>

#include "search/problem/problem.hpp"

namespace regroup::search {

/// Numbers of groups that give every unit as nearly as it can the same number.
struct UniformSize {
  int groups;               ///< asked of every unit
  std::vector<int> counts;  ///< that each unit takes: the most it may have up to `groups`
};

/// The uniform sizes of a model, ascending and distinct, up to its limit of KV heads. Never empty.
std::vector<UniformSize> uniform_sizes(const GroupingProblem& problem);

}  // namespace regroup::search
