#pragma once

#include <Eigen/Core>
#include <atomic>
#include <memory>
#include <span>
#include <vector>

#include "search/base/random.hpp"
#include "search/costs/subset_cost.hpp"
#include "search/problem/problem.hpp"

namespace regroup::tests {

/// What the best shared direction leaves of one row per head: Σ of all eigenvalues of the members'
/// Gram but the largest, as the residual of an optimal merge. Counts how often it is computed.
class DirectionCost : public search::SubsetCost {
 public:
  /// `work` is what pricing claims to take for each member of a group.
  DirectionCost(int heads, int length, search::RandomKey key, double work = 0);

  bool grows() const override { return true; }
  double work(int members) const override { return work_ * members; }
  std::unique_ptr<const search::Relaxation> relaxation() const override;
  std::size_t computed() const { return computed_; }
  /// The n − k smallest eigenvalues of the layer.
  std::vector<double> bounds() const;

 protected:
  double compute_cost(std::span<const search::Head> members) const override;

 private:
  double work_;
  Eigen::MatrixXd gram_;
  mutable std::atomic<std::size_t> computed_{0};
};

/// Layers whose keys and values are such tables and share their partition.
struct CostlyProblem {
  CostlyProblem(int layers, int heads, search::RandomKey key, double work = 0);
  search::GroupingProblem problem() const;

  std::vector<std::shared_ptr<const DirectionCost>> tables;  ///< keys, values of each layer
};

}  // namespace regroup::tests
