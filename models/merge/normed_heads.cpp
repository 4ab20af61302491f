#include "models/merge/normed_heads.hpp"

#include <Eigen/Eigenvalues>
#include <cmath>

namespace regroup::models {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

/// The one real number by which each member takes part, whatever the plane or row.
VectorXd coefficients(const SharedHead& shared, const MergeProblem& group) {
  if (!shared.plane_combination.empty()) return shared.plane_combination.front().real();
  const Index rows = group.layout.block_rows();
  VectorXd result(group.heads);
  for (Index h = 0; h < group.heads; ++h) result[h] = shared.block_combination(0, h * rows);
  return result;
}

void scale_members(SharedHead& shared, const VectorXd& scales) {
  for (Eigen::VectorXcd& combination : shared.plane_combination) {
    combination = combination.cwiseProduct(scales.cast<std::complex<double>>());
  }
  const Index rows = shared.block_combination.rows();
  for (Index h = 0; h < scales.size(); ++h) {
    shared.block_combination.middleCols(h * rows, rows) *= scales[h];
  }
}

}  // namespace

SharedHead share_direction(const MergeProblem& group) {
  const NormedHeads& heads = *group.normed;
  const VectorXd inverse = (heads.norms.array() > 0).select(heads.norms.array().inverse(), 0);
  const Eigen::SelfAdjointEigenSolver<MatrixXd> solver(inverse.asDiagonal() * heads.gram *
                                                       inverse.asDiagonal());
  VectorXd top = solver.eigenvectors().col(group.heads - 1);
  Index largest = 0;
  top.cwiseAbs().maxCoeff(&largest);
  if (top[largest] < 0) top = -top;
  SharedHead shared = SharedHead::weighted(group.layout, top.cwiseProduct(inverse));
  const VectorXd signs = (top.array() < 0).select(-VectorXd::Ones(group.heads), 1.0);
  for (Eigen::VectorXcd& factors : shared.plane_factors) {
    factors = signs.cast<std::complex<double>>();
  }
  const Index rows = group.layout.block_rows();
  for (Index h = 0; h < group.heads && rows > 0; ++h) {
    shared.block_factors.middleRows(h * rows, rows) *= signs[h];
  }
  return shared;
}

SharedHead behind_norm(SharedHead shared, const MergeProblem& group) {
  if (!group.normed) return shared;
  const VectorXd own = coefficients(shared, group);
  const double norm = std::sqrt(std::max(0.0, own.dot(group.normed->gram * own)));
  if (norm > 0) scale_members(shared, group.normed->norms / norm);
  return shared;
}

}  // namespace regroup::models
