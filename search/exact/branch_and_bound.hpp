#pragma once

#include <memory>
#include <optional>
#include <stop_token>

#include "search/costs/cost_table.hpp"
#include "search/problem/unit_front.hpp"

namespace regroup::search {

/// How a branch and bound works.
struct BranchOptions {
  GroupSizes sizes = GroupSizes::kArbitrary;
  int root_effort = 100;  ///< steps of the first relaxation
  int node_effort = 40;   ///< steps of the others
  double tolerance = 0;   ///< stop when cost − bound is at most this
  /// A partition that is known: throws WorkError if it is cheaper than what is found and was
  /// pruned.
  std::optional<Partition> planted;
};

/// The cheapest partition found with a number of groups, and what is proven about all of them.
struct BoundedPartition {
  Partition partition;
  double cost = 0;
  double bound = 0;         ///< no partition with as many groups costs less
  bool is_optimal = false;  ///< the tree is exhausted, or cost − bound is within the tolerance
  std::size_t nodes = 0;

  /// (cost − bound) / cost; 0 at cost 0.
  double gap() const { return cost > 0 ? (cost - bound) / cost : 0; }
};

/// Branch and bound over the partitions of a table's heads into as many groups as the incumbent
/// has: the subset with the least bound is split into one where two of its blocks are joined and
/// one where they stay apart (as Ryan and Foster branch). Not thread-safe.
class BranchAndBound {
 public:
  /// `table` and `relaxation` must outlive it.
  BranchAndBound(const CostTable& table, const Relaxation& relaxation, const Partition& incumbent,
                 BranchOptions options);
  ~BranchAndBound();
  BranchAndBound(BranchAndBound&&) noexcept;

  /// Goes on until `nodes` subsets have been relaxed in all, or the best is proven. Throws
  /// Interrupted on `stop`, WorkError for a planted partition that was pruned.
  void explore(std::size_t nodes, std::stop_token stop);
  /// What is known so far; before the first `explore` a bound of 0.
  BoundedPartition result() const;

 private:
  class Tree;
  std::unique_ptr<Tree> tree_;
};

}  // namespace regroup::search
