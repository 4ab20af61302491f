#include "models/merge/metric_roots.hpp"

#include "models/algebra/dense_algebra.hpp"

namespace regroup::models {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

/// Eigenvalues of a metric below this part of the largest count as 0.
constexpr double kRankTolerance = 1e-12;

MetricRoot root_of(const MatrixXd& metric) {
  const SymmetricEigen eigen = symmetric_eigen(metric);
  const VectorXd values = eigen.values.cwiseMax(0);
  const double least = kRankTolerance * values.maxCoeff();
  const VectorXd roots = (values.array() > least).select(values.cwiseSqrt(), 0);
  const VectorXd inverses =
      (roots.array() > 0)
          .select(roots.cwiseMax(std::numeric_limits<double>::min()).cwiseInverse(), 0);
  const MatrixXd& vectors = eigen.vectors;
  return {vectors * roots.asDiagonal() * vectors.transpose(),
          vectors * inverses.asDiagonal() * vectors.transpose()};
}

}  // namespace

std::vector<MetricRoot> metric_roots(const std::vector<MatrixXd>& metrics) {
  std::vector<MetricRoot> roots;
  for (const MatrixXd& metric : metrics) roots.push_back(root_of(metric));
  return roots;
}

MatrixXd between_roots(const Eigen::Ref<const MatrixXd>& products,
                       const std::vector<MetricRoot>& roots) {
  MatrixXd result(products.rows(), products.cols());
  const Index rows = products.rows() / std::ssize(roots);
  Index at = 0;
  for (const MetricRoot& metric : roots) {
    result.middleRows(at, rows).noalias() = metric.root * products.middleRows(at, rows);
    at += rows;
  }
  at = 0;
  for (const MetricRoot& metric : roots) {
    result.middleCols(at, rows) *= metric.root;
    at += rows;
  }
  return result;
}

}  // namespace regroup::models
