#include "models/algebra/dense_algebra.hpp"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "search/base/error.hpp"

namespace regroup::models {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;
using MatrixRef = Eigen::Ref<const MatrixXd>;

/// Aᵀ in memory of LibTorch's own: by columns here is by rows there.
at::Tensor transposed(const MatrixRef& a) {
  at::Tensor copy = at::empty({a.cols(), a.rows()}, at::kDouble);
  Eigen::Map<MatrixXd>(copy.data_ptr<double>(), a.rows(), a.cols()) = a;
  return copy;
}

/// The matrix whose transpose the tensor is.
MatrixXd untransposed(const at::Tensor& tensor) {
  const at::Tensor rows = tensor.contiguous();
  return Eigen::Map<const MatrixXd>(rows.const_data_ptr<double>(), rows.size(1), rows.size(0));
}

VectorXd vector_of(const at::Tensor& tensor) {
  return Eigen::Map<const VectorXd>(tensor.const_data_ptr<double>(), tensor.size(0));
}

void require_finite(const MatrixRef& matrix) {
  if (!matrix.allFinite()) throw WorkError({.what = "a matrix to be decomposed is not finite"});
}

}  // namespace

MatrixXd product(const MatrixRef& a, const MatrixRef& b) {
  const at::NoGradGuard no_gradients;
  return untransposed(at::mm(transposed(b), transposed(a)));
}

SymmetricEigen symmetric_eigen(const MatrixXd& matrix) {
  require_finite(matrix);
  const at::NoGradGuard no_gradients;
  // Of Aᵀ the upper triangle is the lower one of A.
  const auto [values, vectors] = at::linalg_eigh(transposed(matrix), "U");
  return {vector_of(values), untransposed(vectors.t())};
}

VectorXd symmetric_eigenvalues(const MatrixXd& matrix) {
  require_finite(matrix);
  const at::NoGradGuard no_gradients;
  return vector_of(at::linalg_eigvalsh(transposed(matrix), "U"));
}

MatrixXd solve_positive_definite(const MatrixXd& a, const MatrixXd& b) {
  require_finite(a);
  const at::NoGradGuard no_gradients;
  const auto [factor, info] = at::linalg_cholesky_ex(transposed(a));
  if (info.item<int>() != 0) throw WorkError({.what = "a matrix is not positive definite"});
  return untransposed(at::cholesky_solve(transposed(b).t(), factor).t());
}

MatrixXd closest_orthogonal(const MatrixXd& matrix) {
  require_finite(matrix);
  const at::NoGradGuard no_gradients;
  const auto [left, values, right] = at::linalg_svd(transposed(matrix).t());
  return untransposed(at::mm(left, right).t());
}

}  // namespace regroup::models
