#pragma once

#include <Eigen/Core>
#include <span>
#include <vector>

#include "search/costs/cost_table.hpp"

namespace regroup::search {

/// The within-group sum of squares of vectors known only by their Gram matrix A: for weights the
/// weight-sharing error (WSE) of QCQA (arXiv 2406.10247; METHODS §2),
///
///     cost(g) = Σ_{h∈g} ‖W^h − W̄^g‖² = Σ_{h∈g} A_hh − (1/|g|) Σ_{i,j∈g} A_ij
///
/// It is kept as squared distances D_ij = A_ii + A_jj − 2 A_ij, cost(g) = (1/|g|) Σ_{i<j∈g} D_ij:
/// a sum of non-negative terms, in which nothing cancels. A distance below the rounding of the Gram
/// is 0, so that copies of a head merge at exactly 0.
///
/// Example: two heads with A = [[1, 0], [0, 1]] cost 1 together.
class GramCost : public CostTable {
 public:
  /// From a symmetric positive semidefinite Gram matrix [n, n]. Throws InputError if it is not
  /// square or not finite.
  explicit GramCost(const Eigen::MatrixXd& gram);

  int heads() const override { return static_cast<int>(distance_.rows()); }
  /// O(|g|²).
  double group_cost(std::span<const Head> members) const override;
  /// O(n²), without allocation.
  double partition_cost(std::span<const Label> labels) const override;
  using CostTable::partition_cost;
  /// ‖W^h − W̄^g‖² = (1/|g|) Σ_{i∈g} D_hi − (1/|g|²) Σ_{i<j∈g} D_ij; O(|g|²).
  double serving_cost(Head head, std::span<const Head> members) const override;
  std::unique_ptr<PartitionState> state(const Partition& partition) const override;
  bool grows() const override { return true; }
  std::unique_ptr<const Relaxation> relaxation() const override;

  /// Squared distance D_ij of two heads.
  double distance(Head i, Head j) const { return distance_(i.value(), j.value()); }
  /// Those of one head to all, [n].
  auto distances(Head head) const { return distance_.col(head.value()); }

 private:
  Eigen::MatrixXd distance_;
};

/// The state of a GramCost: the distances of every head to every group follow each move in O(n), so
/// that a move or swap is priced in O(1).
class GramCostState : public PartitionState {
 public:
  /// `table` must outlive the state.
  GramCostState(const GramCost& table, const Partition& partition);

  double cost() const override;
  double move_delta(Head head, Group target) const override;
  double swap_delta(Head a, Head b) const override;
  void move(Head head, Group target) override;

 private:
  double distances_to(Head head, Group group) const {
    return distances_to_(head.value(), group.value());
  }
  double group_cost(Group group) const;

  const GramCost* table_;
  std::vector<double> distances_;  // by slot: Σ_{i<j} D_ij over the members
  Eigen::MatrixXd distances_to_;   // [n, slots]: Σ_j D_hj over the members j of a slot
};

}  // namespace regroup::search
