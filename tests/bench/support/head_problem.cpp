#include "tests/bench/support/head_problem.hpp"

#include <cmath>
#include <memory>
#include <numbers>

#include "search/costs/gram_cost.hpp"

namespace regroup::bench {
namespace {

/// A standard normal draw (Box and Muller, 1958).
double normal(search::RandomStream& random) {
  const double radius = std::sqrt(-2 * std::log(1 - random.unit()));
  return radius * std::cos(2 * std::numbers::pi * random.unit());
}

}  // namespace

Eigen::MatrixXd head_vectors(int heads, int length, search::RandomKey key) {
  search::RandomStream random(key);
  Eigen::MatrixXd vectors(length, heads);
  for (Eigen::Index head = 0; head < heads; ++head) {
    const double scale = 0.5 + 1.5 * random.unit();
    for (double& entry : vectors.col(head)) entry = scale * normal(random);
  }
  return vectors.transpose();
}

search::GroupingProblem head_problem(int layers, int heads, int length, search::RandomKey key) {
  std::vector<search::LayerCosts> costs;
  for (int layer = 0; layer < layers; ++layer) {
    const Eigen::MatrixXd vectors =
        head_vectors(heads, length, key.split(static_cast<std::uint64_t>(layer)));
    const Eigen::MatrixXd gram = vectors * vectors.transpose();
    const auto half = std::make_shared<search::GramCost>(0.5 * gram);
    costs.push_back({half, half, std::make_shared<search::GramCost>(gram)});
  }
  return {std::move(costs), {.sharing = search::PartitionSharing::kJoint}};
}

}  // namespace regroup::bench
