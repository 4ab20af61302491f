#pragma once

#include <Eigen/Core>
#include <functional>
#include <map>
#include <vector>

#include "search/base/random.hpp"
#include "search/groupings/partition.hpp"
#include "search/problem/problem.hpp"

namespace regroup::tests {

/// Head vectors [n, length] with independent entries, uniform on [−1, 1).
Eigen::MatrixXd random_vectors(int heads, int length, search::RandomKey key);

/// A cost table that comes from no vectors: every group of two heads and more has a random cost in
/// [0, 1), or, where groups are to grow in cost, the sum of random costs of its pairs.
class RandomAdditive : public search::CostTable {
 public:
  RandomAdditive(int heads, bool grows, search::RandomKey key)
      : heads_(heads), grows_(grows), key_(key) {}
  int heads() const override { return heads_; }
  double group_cost(std::span<const search::Head> members) const override;
  bool grows() const override { return grows_; }

 private:
  int heads_;
  bool grows_;
  search::RandomKey key_;
};

/// Least cost of every number of groups over all partitions (of equal sizes): a map from the
/// number.
std::map<int, double> enumerated_costs(const search::CostTable& table, bool equal_sizes = false);

/// A problem of GramCost tables over random vectors.
search::GroupingProblem random_problem(int layers, int heads, search::GroupingRules rules,
                                       search::RandomKey key);
inline search::GroupingProblem random_problem(int layers, int heads,
                                              search::PartitionSharing sharing,
                                              search::RandomKey key) {
  return random_problem(layers, heads, search::GroupingRules{.sharing = sharing}, key);
}

}  // namespace regroup::tests
