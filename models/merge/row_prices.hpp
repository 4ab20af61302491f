#pragma once

#include <Eigen/Core>
#include <vector>

#include "models/layers/shared_rows.hpp"
#include "models/merge/merge_problem.hpp"

namespace regroup::models {

/// The eigenpairs of one rotary plane of a group, M_ij = √s_i √s_j u_i C u_jᴴ (METHODS §7, "optimal
/// merge").
struct PlaneSpectrum {
  Eigen::VectorXd roots;     ///< √s [n]
  Eigen::VectorXd values;    ///< falling
  Eigen::MatrixXcd vectors;  ///< a column for each
};

/// `products` u_i C u_jᴴ and `energies` s of the members, [n, n] and [n]. With `keeps_several`
/// energies count as at least 1e-10 of the largest: what stands for a member then exists, whatever
/// reads it. O(n³).
PlaneSpectrum plane_spectrum(const Eigen::MatrixXcd& products, const Eigen::VectorXd& energies,
                             bool keeps_several);

/// What leaving out each row of a group's widest shared head costs: the rows of the optimal merge
/// are uncorrelated, so that the residual of any width is the sum of what it leaves out.
struct RowPrices {
  std::vector<Eigen::VectorXd> planes;  ///< of each plane's pairs in the order of their keeping
  Eigen::VectorXd block;                ///< the same of the rows without rotation

  /// The residual of a shared head with these rows.
  double residual(const SharedRows& rows) const;
};

/// Prices of the rows by which the optimal merge represents `group`, under `weights` of the
/// members, which may be others than those it merges by. O((|g| · d)³).
RowPrices row_prices(const MergeProblem& group, const HeadWeights& weights);

}  // namespace regroup::models
