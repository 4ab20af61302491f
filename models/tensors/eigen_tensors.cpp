#include "models/tensors/eigen_tensors.hpp"

namespace regroup::models {
namespace {

using RowMatrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

}  // namespace

Eigen::MatrixXd to_matrix(const at::Tensor& tensor) {
  const at::Tensor rows = tensor.contiguous();
  return Eigen::Map<const RowMatrix>(rows.const_data_ptr<double>(), rows.size(0), rows.size(1));
}

Eigen::VectorXd to_vector(const at::Tensor& tensor) {
  const at::Tensor values = tensor.contiguous();
  return Eigen::Map<const Eigen::VectorXd>(values.const_data_ptr<double>(), values.size(0));
}

Eigen::MatrixXd to_symmetric_matrix(const at::Tensor& tensor) {
  const Eigen::MatrixXd matrix = to_matrix(tensor);
  return 0.5 * (matrix + matrix.transpose());
}

at::Tensor to_tensor(const Eigen::MatrixXd& matrix) {
  at::Tensor tensor = at::empty({matrix.rows(), matrix.cols()}, at::kDouble);
  Eigen::Map<RowMatrix>(tensor.data_ptr<double>(), matrix.rows(), matrix.cols()) = matrix;
  return tensor;
}

void accumulate(at::Tensor& sum, const at::Tensor& part) {
  if (sum.defined()) {
    sum.add_(part);
  } else {
    sum = part.clone();
  }
}

}  // namespace regroup::models
