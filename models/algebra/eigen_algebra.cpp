// The same functions by Eigen alone, for builds without LibTorch (REGROUP_LIBTORCH=OFF).

#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>
#include <Eigen/SVD>

#include "models/algebra/dense_algebra.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;
using MatrixRef = Eigen::Ref<const MatrixXd>;

void require_finite(const MatrixXd& matrix) {
  if (!matrix.allFinite()) throw WorkError({.what = "a matrix to be decomposed is not finite"});
}

}  // namespace

MatrixXd product(const MatrixRef& a, const MatrixRef& b) {
  return a * b;
}

SymmetricEigen symmetric_eigen(const MatrixXd& matrix) {
  require_finite(matrix);
  if (matrix.size() == 0) return {};
  const Eigen::SelfAdjointEigenSolver<MatrixXd> solver(matrix);
  return {solver.eigenvalues(), solver.eigenvectors()};
}

VectorXd symmetric_eigenvalues(const MatrixXd& matrix) {
  require_finite(matrix);
  if (matrix.size() == 0) return {};
  return Eigen::SelfAdjointEigenSolver<MatrixXd>(matrix, Eigen::EigenvaluesOnly).eigenvalues();
}

MatrixXd solve_positive_definite(const MatrixXd& a, const MatrixXd& b) {
  require_finite(a);
  const Eigen::LLT<MatrixXd> factor(a);
  if (factor.info() != Eigen::Success) {
    throw WorkError({.what = "a matrix is not positive definite"});
  }
  return factor.solve(b);
}

MatrixXd closest_orthogonal(const MatrixXd& matrix) {
  require_finite(matrix);
  const Eigen::BDCSVD<MatrixXd> svd(matrix, Eigen::ComputeFullU | Eigen::ComputeFullV);
  return svd.matrixU() * svd.matrixV().transpose();
}

}  // namespace regroup::models
