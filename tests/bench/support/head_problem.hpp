#pragma once

#include <Eigen/Core>

#include "search/base/random.hpp"
#include "search/problem/problem.hpp"

namespace regroup::bench {

/// Head vectors [heads, length] as real heads are: in random directions, which are nearly
/// orthogonal where `length` is large, and of unequal norms, 0.5 to 2 times √length.
Eigen::MatrixXd head_vectors(int heads, int length, search::RandomKey key);

/// A problem whose layers share one partition of such heads; a layer costs the WSE of its vectors.
search::GroupingProblem head_problem(int layers, int heads, int length, search::RandomKey key);

}  // namespace regroup::bench
