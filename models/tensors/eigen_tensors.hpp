#pragma once

#include <ATen/ATen.h>

#include <Eigen/Core>

namespace regroup::models {

/// A matrix [rows, columns] or vector of doubles on the CPU as Eigen's.
Eigen::MatrixXd to_matrix(const at::Tensor& tensor);
Eigen::VectorXd to_vector(const at::Tensor& tensor);
/// (A + Aᵀ)/2: a product of a matrix with its own transpose is symmetric only up to rounding.
Eigen::MatrixXd to_symmetric_matrix(const at::Tensor& tensor);
/// A tensor of doubles on the CPU.
at::Tensor to_tensor(const Eigen::MatrixXd& matrix);

/// sum += part; an undefined sum counts as 0.
void accumulate(at::Tensor& sum, const at::Tensor& part);

}  // namespace regroup::models
