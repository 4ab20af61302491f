#pragma once

#include "search/costs/relaxation.hpp"

namespace regroup::search {

/// Lower bounds for the within-group sum of squares (WSE) of vectors with Gram matrix A.
///
/// A partition into k groups is the projection X with X_ij = 1/|g| for i, j in one group g, and
/// costs tr A − ⟨A, X⟩. X is positive semidefinite, has eigenvalues of at most 1, X1 = 1, trace k,
/// and no negative entry. Without the last property the least cost is the spectral bound of METHODS
/// §8; with it, it is the semidefinite relaxation of Peng and Wei (SIAM J. Optim. 18(1), 2007),
/// with which Piccialli, Sudoso and Wiegele (INFORMS J. Comput. 34(4), 2022) branch on pairs as it
/// is done here. It is solved approximately by the alternating direction method of multipliers; the
/// bound is that of its dual multipliers Y ≥ 0, the spectral bound of A + Y, and holds for any of
/// them, converged or not:
///
///     cost ≥ tr A − max { ⟨A + Y, X⟩ : X as above, entries of any sign }
///
/// Blocks are contracted, A_ST = Σ_{i∈S, j∈T} A_ij / √(|S||T|) with √|S| in place of 1; a pair that
/// stays apart has X_ij = 0, and Y_ij of any sign.
class GramRelaxation : public Relaxation {
 public:
  /// `gram` [n, n] symmetric; only the distances that follow from it matter.
  explicit GramRelaxation(const Eigen::MatrixXd& gram);

  /// O(effort · m³) for m blocks. `effort` 0 is the spectral bound.
  RelaxedSubset relax(const PartitionSubset& subset, int groups, double cutoff,
                      int effort) const override;

 private:
  Eigen::MatrixXd gram_;  // centred: rows sum to 0
};

}  // namespace regroup::search
