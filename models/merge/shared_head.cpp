#include "models/merge/shared_head.hpp"

#include <algorithm>
#include <utility>

#include "models/algebra/dense_algebra.hpp"

namespace regroup::models {
namespace {

using Eigen::Index;
using Eigen::MatrixXcd;
using Eigen::MatrixXd;
using Eigen::VectorXcd;
using Eigen::VectorXd;

/// Of the pairs [first, end), those of one plane.
double plane_residual(const SharedHead& shared, std::size_t first, std::size_t end,
                      const MatrixXcd& products, const VectorXd& weights) {
  Eigen::ArrayXd errors = products.diagonal().real().array();
  for (std::size_t i = first; i < end; ++i) {
    const VectorXcd& factors = shared.plane_factors[i];
    const VectorXcd with_shared = products * shared.plane_combination[i].conjugate();  // ⟨u_h, k̄_i⟩
    errors -= 2 * (factors.conjugate().array() * with_shared.array()).real();
    const double norm = (shared.plane_combination[i].transpose() * with_shared).value().real();
    errors += factors.array().abs2() * norm;
    for (std::size_t j = first; j < i; ++j) {
      const std::complex<double> other =
          (shared.plane_combination[j].transpose() * with_shared).value();  // ⟨k̄_j, k̄_i⟩
      errors += 2 * (shared.plane_factors[j].array() * factors.conjugate().array() * other).real();
    }
  }
  return (weights.array() * errors.max(0.0)).sum();
}

/// What the blocks of all members say.
double block_energy(const Eigen::Ref<const MatrixXd>& products,
                    const std::vector<MatrixXd>& weights) {
  const Index rows = weights.front().rows();
  double sum = 0;
  for (std::size_t h = 0; h < weights.size(); ++h) {
    const Index at = static_cast<Index>(h) * rows;
    sum += std::max(0.0, weights[h].cwiseProduct(products.block(at, at, rows, rows)).sum());
  }
  return sum;
}

double block_residual(const SharedHead& shared, const Eigen::Ref<const MatrixXd>& products,
                      const std::vector<MatrixXd>& weights) {
  const Index rows = weights.front().rows();
  if (shared.block_combination.rows() == 0) return block_energy(products, weights);
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
  part.block = MatrixXd(products.block.matrix()(places, places));
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
  std::size_t first = 0;
  for (std::size_t plane = 0; plane < products.planes.size(); ++plane) {
    std::size_t end = first;
    while (end < shared.plane_combination.size() && std::cmp_equal(shared.plane_of(end), plane)) {
      ++end;
    }
    sum += plane_residual(shared, first, end, products.planes[plane], weights.planes[plane]);
    first = end;
  }
  if (products.block.size() > 0) {
    sum += block_residual(shared, products.block.matrix(), weights.block);
  }
  return sum;
}

double squared_norm(const SharedHead& shared, const HeadProducts& products) {
  double sum = 0;
  for (std::size_t pair = 0; pair < shared.plane_combination.size(); ++pair) {
    const VectorXcd& combination = shared.plane_combination[pair];
    const MatrixXcd& plane = products.planes[static_cast<std::size_t>(shared.plane_of(pair))];
    sum += (combination.transpose() * plane * combination.conjugate()).value().real();
  }
  if (products.block.size() > 0) {
    const MatrixXd& combination = shared.block_combination;
    sum += (combination * products.block.matrix() * combination.transpose()).trace();
  }
  return std::max(0.0, sum);
}

}  // namespace regroup::models
