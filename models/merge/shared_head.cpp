#include "models/merge/shared_head.hpp"

#include <algorithm>

#include "models/algebra/dense_algebra.hpp"

namespace regroup::models {
namespace {

using Eigen::Index;
using Eigen::MatrixXcd;
using Eigen::MatrixXd;
using Eigen::VectorXcd;
using Eigen::VectorXd;

double plane_residual(const VectorXcd& combination, const VectorXcd& factors,
                      const MatrixXcd& products, const VectorXd& weights) {
  const VectorXcd with_shared = products * combination.conjugate();  // ⟨u_h, k̄⟩
  const double shared_norm = (combination.transpose() * with_shared).value().real();
  const auto own = products.diagonal().real().array();
  const auto cross = (factors.conjugate().array() * with_shared.array()).real();
  const auto errors = own - 2 * cross + factors.array().abs2() * shared_norm;
  return (weights.array() * errors.max(0.0)).sum();
}

double block_residual(const SharedHead& shared, const MatrixXd& products,
                      const std::vector<MatrixXd>& weights) {
  const Index rows = shared.block_combination.rows();
  const MatrixXd with_shared = product(products, shared.block_combination.transpose());  // ⟨W^h, W̄⟩
  const MatrixXd shared_products = shared.block_combination * with_shared;
  double sum = 0;
  for (std::size_t h = 0; h < weights.size(); ++h) {
    const Index at = static_cast<Index>(h) * rows;
    const auto factor = shared.block_factors.middleRows(at, rows);
    const MatrixXd cross = with_shared.middleRows(at, rows) * factor.transpose();
    const MatrixXd error = products.block(at, at, rows, rows) - cross - cross.transpose() +
                           factor * shared_products * factor.transpose();
    sum += std::max(0.0, weights[h].cwiseProduct(error).sum());
  }
  return sum;
}

}  // namespace

SharedHead SharedHead::weighted(const HeadLayout& layout, const VectorXd& weights) {
  const Index members = weights.size();
  const Index rows = layout.block_rows();
  SharedHead shared;
  shared.plane_combination.assign(layout.planes.size(), weights.cast<std::complex<double>>());
  shared.plane_factors.assign(layout.planes.size(), VectorXcd::Ones(members));
  shared.block_combination.resize(rows, members * rows);
  shared.block_factors.resize(members * rows, rows);
  for (Index h = 0; h < members; ++h) {
    const MatrixXd identity = MatrixXd::Identity(rows, rows);
    shared.block_combination.middleCols(h * rows, rows) = weights[h] * identity;
    shared.block_factors.middleRows(h * rows, rows) = identity;
  }
  return shared;
}

SharedHead SharedHead::with_listener() const {
  SharedHead wider = *this;
  for (VectorXcd& combination : wider.plane_combination) {
    combination.conservativeResize(combination.size() + 1);
    combination[combination.size() - 1] = 0;
  }
  for (VectorXcd& factors : wider.plane_factors) {
    factors.conservativeResize(factors.size() + 1);
    factors[factors.size() - 1] = 1;
  }
  const Index rows = block_combination.rows();
  wider.block_combination.conservativeResize(Eigen::NoChange, block_combination.cols() + rows);
  wider.block_combination.rightCols(rows).setZero();
  wider.block_factors.conservativeResize(block_factors.rows() + rows, Eigen::NoChange);
  wider.block_factors.bottomRows(rows).setIdentity();
  return wider;
}

void SharedHead::rescale(double scale) {
  for (VectorXcd& combination : plane_combination) combination *= scale;
  block_combination *= scale;
}

HeadProducts restrict_to(const HeadProducts& products, const HeadLayout& layout,
                         std::span<const int> members) {
  const Eigen::Map<const Eigen::VectorXi> ids(members.data(), std::ssize(members));
  HeadProducts part;
  for (const MatrixXcd& plane : products.planes) part.planes.push_back(plane(ids, ids));
  if (products.block.size() == 0) return part;
  const Index rows = layout.block_rows();
  std::vector<Index> places;
  for (const int head : members) {
    for (Index row = 0; row < rows; ++row) places.push_back(head * rows + row);
  }
  part.block = products.block(places, places);
  return part;
}

HeadWeights restrict_to(const HeadWeights& weights, std::span<const int> members) {
  const Eigen::Map<const Eigen::VectorXi> ids(members.data(), std::ssize(members));
  HeadWeights part;
  for (const VectorXd& plane : weights.planes) part.planes.push_back(plane(ids));
  for (const int head : members) {
    if (!weights.block.empty()) {
      part.block.push_back(weights.block[static_cast<std::size_t>(head)]);
    }
  }
  return part;
}

MergeProblem restrict_to(const MergeProblem& problem, std::span<const int> members) {
  const Eigen::Map<const Eigen::VectorXi> ids(members.data(), std::ssize(members));
  MergeProblem part;
  part.heads = static_cast<int>(members.size());
  part.layout = problem.layout;
  part.products = restrict_to(problem.products, problem.layout, members);
  part.weights = restrict_to(problem.weights, members);
  if (problem.weight_products.size() > 0) part.weight_products = problem.weight_products(ids, ids);
  if (problem.gradients.size() > 0) part.gradients = problem.gradients(ids);
  if (problem.normed) {
    part.normed = NormedHeads{problem.normed->norms(ids), problem.normed->gram(ids, ids)};
  }
  return part;
}

double residual(const SharedHead& shared, const HeadProducts& products,
                const HeadWeights& weights) {
  double sum = 0;
  for (std::size_t plane = 0; plane < products.planes.size(); ++plane) {
    sum += plane_residual(shared.plane_combination[plane], shared.plane_factors[plane],
                          products.planes[plane], weights.planes[plane]);
  }
  if (products.block.size() > 0) sum += block_residual(shared, products.block, weights.block);
  return sum;
}

double squared_norm(const SharedHead& shared, const HeadProducts& products) {
  double sum = 0;
  for (std::size_t plane = 0; plane < products.planes.size(); ++plane) {
    const VectorXcd& combination = shared.plane_combination[plane];
    sum +=
        (combination.transpose() * products.planes[plane] * combination.conjugate()).value().real();
  }
  if (products.block.size() > 0) {
    const MatrixXd& combination = shared.block_combination;
    sum += (combination * products.block * combination.transpose()).trace();
  }
  return std::max(0.0, sum);
}

}  // namespace regroup::models
