#pragma once

#include <Eigen/Core>
#include <functional>
#include <vector>

#include "search/partition.hpp"
#include "search/problem.hpp"
#include "search/random.hpp"

namespace regroup::tests {

/// Head vectors [n, length] with independent entries, uniform on [−1, 1).
Eigen::MatrixXd random_vectors(int heads, int length, search::RandomKey key);

/// Calls `visit` with every partition of `heads` heads once (Bell(heads) of them).
void for_each_partition(int heads, const std::function<void(const search::Partition&)>& visit);

/// A problem of GramCost tables over random vectors.
search::GroupingProblem random_problem(int layers, int heads, search::GroupingRules rules,
                                       search::RandomKey key);
inline search::GroupingProblem random_problem(int layers, int heads,
                                              search::PartitionSharing sharing,
                                              search::RandomKey key) {
  return random_problem(layers, heads, search::GroupingRules{.sharing = sharing}, key);
}

}  // namespace regroup::tests
