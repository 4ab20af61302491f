#include "models/merge/row_prices.hpp"

#include <Eigen/Eigenvalues>
#include <algorithm>

#include "models/algebra/dense_algebra.hpp"
#include "models/merge/metric_roots.hpp"

namespace regroup::models {
namespace {

using Eigen::Index;
using Eigen::MatrixXcd;
using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr double kLeastEnergy = 1e-10;

VectorXd merged_energies(const VectorXd& energies, bool keeps_several) {
  const double largest = energies.maxCoeff();
  if (!(largest > 0)) return VectorXd::Ones(energies.size());
  return keeps_several ? VectorXd(energies.cwiseMax(kLeastEnergy * largest)) : energies;
}

VectorXd plane_prices(const PlaneSpectrum& spectrum, const VectorXd& weights) {
  const VectorXd by_member = weights.cwiseQuotient(spectrum.roots.cwiseAbs2());
  const VectorXd by_pair = spectrum.vectors.cwiseAbs2().transpose() * by_member;
  return spectrum.values.cwiseMax(0).cwiseProduct(by_pair);
}

VectorXd block_prices(const MergeProblem& group, const std::vector<MatrixXd>& weights) {
  const std::vector<MetricRoot> roots = metric_roots(group.weights.block);
  const SymmetricEigen eigen = symmetric_eigen(between_roots(group.products.block.matrix(), roots));
  const Index rows = group.layout.block_rows();
  VectorXd by_row = VectorXd::Zero(eigen.values.size());
  for (std::size_t h = 0; h < roots.size(); ++h) {
    const MatrixXd factors =
        product(roots[h].inverse, eigen.vectors.middleRows(static_cast<Index>(h) * rows, rows));
    by_row += factors.cwiseProduct(product(weights[h], factors)).colwise().sum().transpose();
  }
  return eigen.values.cwiseMax(0).cwiseProduct(by_row).reverse();
}

double left_out(const VectorXd& prices, int kept) {
  return kept < prices.size() ? prices.tail(prices.size() - kept).sum() : 0;
}

}  // namespace

PlaneSpectrum plane_spectrum(const MatrixXcd& products, const VectorXd& energies,
                             bool keeps_several) {
  PlaneSpectrum spectrum;
  spectrum.roots = merged_energies(energies, keeps_several).cwiseSqrt();
  const Eigen::SelfAdjointEigenSolver<MatrixXcd> solver(spectrum.roots.asDiagonal() * products *
                                                        spectrum.roots.asDiagonal());
  spectrum.values = solver.eigenvalues().reverse();
  spectrum.vectors = solver.eigenvectors().rowwise().reverse();
  return spectrum;
}

double RowPrices::residual(const SharedRows& rows) const {
  double sum = left_out(block, rows.block);
  for (std::size_t p = 0; p < planes.size(); ++p) sum += left_out(planes[p], rows.planes[p]);
  return sum;
}

RowPrices row_prices(const MergeProblem& group, const HeadWeights& weights) {
  RowPrices prices;
  for (std::size_t p = 0; p < group.products.planes.size(); ++p) {
    const PlaneSpectrum spectrum =
        plane_spectrum(group.products.planes[p], group.weights.planes[p], true);
    prices.planes.push_back(plane_prices(spectrum, weights.planes[p]));
  }
  if (group.layout.block_rows() > 0) prices.block = block_prices(group, weights.block);
  return prices;
}

}  // namespace regroup::models
