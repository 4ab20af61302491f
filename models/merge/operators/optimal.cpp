#include "models/merge/operators/operators.hpp"

#include <Eigen/Eigenvalues>
#include <cmath>
#include <complex>

#include "models/algebra/dense_algebra.hpp"
#include "models/merge/metric_roots.hpp"
#include "models/merge/normed_heads.hpp"

namespace regroup::models {
namespace {

using Eigen::Index;
using Eigen::MatrixXcd;
using Eigen::MatrixXd;
using Eigen::VectorXcd;
using Eigen::VectorXd;

/// The shared row of one plane and the factor of each member.
struct PlaneShare {
  VectorXcd combination;
  VectorXcd factors;
};

/// Minimises Σ_h s_h E|u_h − α_h k̄|²: k̄ and α from the top eigenpair of M_ij = √s_i √s_j u_i C
/// u_jᴴ.
PlaneShare share_plane(const MatrixXcd& products, const VectorXd& energies) {
  const Index members = products.rows();
  const VectorXd weights = energies.maxCoeff() > 0 ? energies : VectorXd::Ones(members);
  const VectorXd roots = weights.cwiseSqrt();
  const Eigen::SelfAdjointEigenSolver<MatrixXcd> solver(roots.asDiagonal() * products *
                                                        roots.asDiagonal());
  const double eigenvalue = solver.eigenvalues()[members - 1];
  const VectorXcd top = solver.eigenvectors().col(members - 1);
  if (!(eigenvalue > 0)) return {VectorXcd::Zero(members), VectorXcd::Zero(members)};
  PlaneShare share{top.conjugate().cwiseProduct(roots), {}};
  share.factors = products * share.combination.conjugate() / eigenvalue;
  // Phase and scale of k̄ are free: a real factor at the largest member, the members' mean norm.
  Index largest = 0;
  top.cwiseAbs().maxCoeff(&largest);
  const std::complex<double> phase = share.factors[largest] / std::abs(share.factors[largest]);
  const double scale = std::sqrt(products.diagonal().real().mean() / eigenvalue);
  share.combination *= scale * phase;
  share.factors /= scale * phase;
  return share;
}

/// The truncated singular value decomposition of the stacked members, between P and the products.
void share_block(const MergeProblem& group, SharedHead& shared) {
  const Index rows = group.layout.block_rows();
  const std::vector<MetricRoot> roots = metric_roots(group.weights.block);
  const SymmetricEigen eigen = symmetric_eigen(between_roots(group.products.block, roots));
  const MatrixXd top = eigen.vectors.rightCols(rows);
  shared.block_combination.resize(rows, top.rows());
  shared.block_factors.resize(top.rows(), rows);
  Index at = 0;
  for (const MetricRoot& metric : roots) {
    const auto own = top.middleRows(at, rows);
    shared.block_combination.middleCols(at, rows).noalias() = own.transpose() * metric.root;
    shared.block_factors.middleRows(at, rows).noalias() = metric.inverse * own;
    at += rows;
  }
}

/// The shared head of least error under the moments of attention, in closed form (METHODS §7): in a
/// rotary plane the top eigenpair of the members' Gram, weighted by query energies; elsewhere the
/// truncated singular value decomposition of the stacked members. O((|g| · d)³).
class OptimalMerge : public MergeOperator {
 public:
  std::string_view name() const override { return "optimal"; }
  MergeNeeds needs() const override { return MergeNeeds::kMoments; }
  MergeMetric metric() const override { return MergeMetric::kAttention; }
  bool folds() const override { return true; }
  SharedHead share(const MergeProblem& group) const override;
};

}  // namespace

SharedHead OptimalMerge::share(const MergeProblem& group) const {
  if (group.normed) return share_direction(group);
  SharedHead shared;
  for (std::size_t p = 0; p < group.products.planes.size(); ++p) {
    PlaneShare plane = share_plane(group.products.planes[p], group.weights.planes[p]);
    shared.plane_combination.push_back(std::move(plane.combination));
    shared.plane_factors.push_back(std::move(plane.factors));
  }
  if (group.layout.block_rows() > 0) share_block(group, shared);
  return shared;
}

const MergeOperator& optimal_merge() {
  static const OptimalMerge instance;
  return instance;
}

}  // namespace regroup::models
