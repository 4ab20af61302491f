#include "models/merge/operators/optimal.hpp"

#include <Eigen/Eigenvalues>
#include <cmath>
#include <complex>

#include "models/merge/normed_heads.hpp"

namespace regroup::models {
namespace {

using Eigen::Index;
using Eigen::MatrixXcd;
using Eigen::MatrixXd;
using Eigen::VectorXcd;
using Eigen::VectorXd;

/// Eigenvalues of a metric below this part of the largest count as 0.
constexpr double kRankTolerance = 1e-12;

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

/// P^{1/2} and P^{−1/2}, the inverse of what is not 0.
struct Roots {
  MatrixXd root;
  MatrixXd inverse;
};

Roots roots_of(const MatrixXd& metric) {
  const Eigen::SelfAdjointEigenSolver<MatrixXd> solver(metric);
  const VectorXd values = solver.eigenvalues().cwiseMax(0);
  const double least = kRankTolerance * values.maxCoeff();
  const VectorXd roots = (values.array() > least).select(values.cwiseSqrt(), 0);
  const VectorXd inverses =
      (roots.array() > 0)
          .select(roots.cwiseMax(std::numeric_limits<double>::min()).cwiseInverse(), 0);
  const MatrixXd& vectors = solver.eigenvectors();
  return {vectors * roots.asDiagonal() * vectors.transpose(),
          vectors * inverses.asDiagonal() * vectors.transpose()};
}

/// The truncated singular value decomposition of the stacked members, between P and the products.
void share_block(const MergeProblem& group, SharedHead& shared) {
  const Index rows = group.layout.block_rows();
  const Index size = group.heads * rows;
  MatrixXd root = MatrixXd::Zero(size, size);
  MatrixXd inverse = MatrixXd::Zero(size, size);
  for (int h = 0; h < group.heads; ++h) {
    const Roots roots = roots_of(group.weights.block[static_cast<std::size_t>(h)]);
    root.block(h * rows, h * rows, rows, rows) = roots.root;
    inverse.block(h * rows, h * rows, rows, rows) = roots.inverse;
  }
  const Eigen::SelfAdjointEigenSolver<MatrixXd> solver(root * group.products.block * root);
  const MatrixXd top = solver.eigenvectors().rightCols(rows);
  shared.block_combination = top.transpose() * root;
  shared.block_factors = inverse * top;
}

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

}  // namespace regroup::models
