#include "fitness/residual_cost.hpp"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <utility>

#include "models/algebra/dense_algebra.hpp"
#include "models/merge/metric_roots.hpp"
#include "models/merge/normed_heads.hpp"
#include "models/recipes/merge_recipe.hpp"
#include "search/costs/spectral_relaxation.hpp"

namespace regroup::fitness {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

/// bounds[k − 1] += the sum of all but the `k · rows` largest eigenvalues.
void add_discarded(const VectorXd& ascending, Index rows, std::vector<double>& bounds) {
  const Index size = ascending.size();
  for (std::size_t k = 1; k <= bounds.size(); ++k) {
    const Index discarded = size - static_cast<Index>(k) * rows;
    if (discarded > 0) bounds[k - 1] += ascending.head(discarded).cwiseMax(0).sum();
  }
}

}  // namespace

std::vector<int> ids_of(std::span<const search::Head> members) {
  std::vector<int> ids;
  for (const search::Head head : members) ids.push_back(head.value());
  return ids;
}

double residual_work(const models::HeadLayout& layout, const models::MergeOperator& merge,
                     int members) {
  // What an eigenproblem of n rows takes; operators that fold nothing only need products.
  constexpr double kDecomposition = 10;
  const double plane = members;
  const double block = static_cast<double>(members) * layout.block_rows();
  const double work =
      static_cast<double>(layout.planes.size()) * plane * plane * plane + block * block * block;
  return merge.folds() ? kDecomposition * work : work / members;
}

ResidualCost::ResidualCost(models::MergeProblem problem,
                           std::optional<models::HeadProducts> products,
                           models::HeadWeights weights, const models::MergeRecipe& recipe,
                           std::vector<int> multiples)
    : SubsetCost(problem.heads),
      problem_(std::move(problem)),
      products_(std::move(products)),
      weights_(std::move(weights)),
      recipe_(recipe),
      is_best_(recipe_.merge->name() == "optimal" && !problem_.normed &&
               weights_.planes == problem_.weights.planes &&
               weights_.block == problem_.weights.block),
      widths_(problem_, weights_, std::move(multiples)) {}

double ResidualCost::compute_cost(std::span<const search::Head> members) const {
  const std::vector<int> ids = ids_of(members);
  // The same rows as the merge makes of heads without rotation, so that wider groups share them.
  const bool is_width =
      recipe_.merge->name() == "optimal" && !problem_.normed && problem_.layout.planes.empty();
  if (is_width && widths_.remembers()) return widths_.residual(ids, 1);
  const models::MergeProblem group = models::restrict_to(problem_, ids);
  const models::SharedHead shared = models::behind_norm(models::shared_head(group, recipe_), group);
  return models::residual(shared, products_of(ids), models::restrict_to(weights_, ids));
}

double ResidualCost::serving_cost(search::Head head, std::span<const search::Head> members) const {
  if (recipe_.merge->folds()) return SubsetCost::serving_cost(head, members);
  std::vector<int> ids = ids_of(members);
  const bool is_member = std::ranges::find(ids, head.value()) != ids.end();
  if (ids.size() == 1 && is_member) return 0;
  models::SharedHead shared =
      ids.size() == 1 ? models::SharedHead::weighted(problem_.layout, VectorXd::Ones(1))
                      : models::shared_head(models::restrict_to(problem_, ids), recipe_);
  // The head that is served joins the group with no part in the shared head, all others weigh 0.
  if (!is_member) {
    ids.push_back(head.value());
    shared = shared.with_listener();
  }
  shared = models::behind_norm(std::move(shared), models::restrict_to(problem_, ids));
  models::HeadWeights weights = models::restrict_to(weights_, ids);
  const auto place = std::ranges::find(ids, head.value()) - ids.begin();
  for (VectorXd& plane : weights.planes) {
    const double own = plane[place];
    plane.setZero();
    plane[place] = own;
  }
  for (std::size_t h = 0; h < weights.block.size(); ++h) {
    if (std::cmp_not_equal(h, place)) weights.block[h].setZero();
  }
  return models::residual(shared, products_of(ids), weights);
}

const ResidualCost::Spectra& ResidualCost::spectra() const {
  std::call_once(has_spectra_, [&] {
    const auto& [planes, block] = products();
    for (std::size_t p = 0; p < planes.size(); ++p) {
      const VectorXd roots = weights_.planes[p].cwiseSqrt();
      const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXcd> solver(
          roots.asDiagonal() * planes[p] * roots.asDiagonal(), Eigen::EigenvaluesOnly);
      spectra_.planes.push_back(solver.eigenvalues());
    }
    if (block.size() == 0) return;
    const std::vector<models::MetricRoot> roots = models::metric_roots(weights_.block);
    spectra_.block = models::symmetric_eigenvalues(models::between_roots(block.matrix(), roots));
  });
  return spectra_;
}

std::vector<double> ResidualCost::spectral_bounds(int multiple) const {
  std::vector<double> bounds(static_cast<std::size_t>(heads()), 0.0);
  const auto& [planes, block] = spectra();
  for (const VectorXd& plane : planes) add_discarded(plane, multiple, bounds);
  add_discarded(block, Index{multiple} * problem_.layout.block_rows(), bounds);
  // Less what the eigenvalues' rounding may have added.
  constexpr double kRounding = 1e-11;
  const double slack = kRounding * bounds.front();
  for (double& bound : bounds) bound = std::max(0.0, bound - slack);
  return bounds;
}

std::unique_ptr<const search::Relaxation> ResidualCost::relaxation() const {
  return std::make_unique<search::SpectralRelaxation>(*this, spectral_bounds());
}

}  // namespace regroup::fitness
