#pragma once

#include <Eigen/Core>

namespace regroup::models {

/// Algebra of large dense matrices in double on the CPU, by the BLAS and LAPACK that LibTorch
/// brings along: several times as fast as Eigen built for any x86-64 processor (docs/results.md).
/// After `use_one_thread_per_operation` a call stays on its thread and gives the same bits for the
/// same matrices, which it copies to aligned memory first. Thread-safe.

/// A · B, [m, k] · [k, n].
Eigen::MatrixXd product(const Eigen::Ref<const Eigen::MatrixXd>& a,
                        const Eigen::Ref<const Eigen::MatrixXd>& b);

/// Eigenvalues, ascending, and eigenvectors, a column for each.
struct SymmetricEigen {
  Eigen::VectorXd values;
  Eigen::MatrixXd vectors;
};

/// Of a symmetric matrix, whose lower triangle is read. O(n³). Throws WorkError where the matrix is
/// not finite.
SymmetricEigen symmetric_eigen(const Eigen::MatrixXd& matrix);
/// The eigenvalues alone, ascending.
Eigen::VectorXd symmetric_eigenvalues(const Eigen::MatrixXd& matrix);

/// The X of A X = B for a symmetric positive definite A, by Cholesky's factors. O(n³). Throws
/// WorkError where A is not.
Eigen::MatrixXd solve_positive_definite(const Eigen::MatrixXd& a, const Eigen::MatrixXd& b);

/// U Vᵀ of the singular value decomposition U S Vᵀ of a square matrix: the orthogonal matrix that
/// is closest to it. O(n³). Throws WorkError where the matrix is not finite.
Eigen::MatrixXd closest_orthogonal(const Eigen::MatrixXd& matrix);

}  // namespace regroup::models
