#include "tests/support/direction_cost.hpp"

#include <Eigen/Eigenvalues>
#include <algorithm>

#include "search/base/error.hpp"
#include "search/costs/spectral_relaxation.hpp"
#include "search/costs/sum_cost.hpp"
#include "tests/support/random_tables.hpp"

namespace regroup::tests {
namespace {

Eigen::VectorXd eigenvalues(const Eigen::MatrixXd& gram) {
  return Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd>(gram, Eigen::EigenvaluesOnly).eigenvalues();
}

}  // namespace

DirectionCost::DirectionCost(int heads, int length, search::RandomKey key, double work)
    : SubsetCost(heads), work_(work) {
  const Eigen::MatrixXd rows = random_vectors(heads, length, key);
  gram_ = rows * rows.transpose();
}

std::unique_ptr<const search::Relaxation> DirectionCost::relaxation() const {
  return std::make_unique<search::SpectralRelaxation>(*this, bounds());
}

std::vector<double> DirectionCost::bounds() const {
  const Eigen::VectorXd values = eigenvalues(gram_);
  std::vector<double> bounds;
  for (int k = 1; k <= heads(); ++k) {
    bounds.push_back(values.head(heads() - k).sum() - 1e-12 * gram_.trace());
  }
  return bounds;
}

double DirectionCost::compute_cost(std::span<const search::Head> members) const {
  ++computed_;
  std::vector<int> ids;
  for (const search::Head head : members) ids.push_back(head.value());
  if (ids.size() < 2 || std::ranges::adjacent_find(ids, std::greater_equal()) != ids.end()) {
    throw WorkError({.what = "members are not ascending"});
  }
  const Eigen::VectorXd values = eigenvalues(gram_(ids, ids));
  return std::max(0.0, values.head(values.size() - 1).sum());
}

CostlyProblem::CostlyProblem(int layers, int heads, search::RandomKey key, double work) {
  for (int layer = 0; layer < layers; ++layer) {
    const search::RandomKey layer_key = key.split(static_cast<std::uint64_t>(layer));
    for (const std::uint64_t part : {0, 1}) {
      tables.push_back(std::make_shared<DirectionCost>(heads, 40, layer_key.split(part), work));
    }
  }
}

search::GroupingProblem CostlyProblem::problem() const {
  std::vector<search::LayerCosts> costs;
  for (std::size_t i = 0; i < tables.size(); i += 2) {
    const std::vector<search::WeightedTable> parts{{tables[i], 1}, {tables[i + 1], 1}};
    costs.push_back({tables[i], tables[i + 1], std::make_shared<search::SumCost>(parts)});
  }
  return {std::move(costs), {}};
}

}  // namespace regroup::tests
