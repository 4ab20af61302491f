#include "tests/support/random_tables.hpp"

#include <algorithm>
#include <memory>

#include "search/costs/gram_cost.hpp"
#include "search/problem/enumeration.hpp"

namespace regroup::tests {

Eigen::MatrixXd random_vectors(int heads, int length, search::RandomKey key) {
  search::RandomStream random(key);
  Eigen::MatrixXd vectors(heads, length);
  for (Eigen::Index i = 0; i < heads; ++i) {
    for (Eigen::Index j = 0; j < length; ++j) vectors(i, j) = 2 * random.unit() - 1;
  }
  return vectors;
}

double RandomAdditive::group_cost(std::span<const search::Head> members) const {
  if (members.size() < 2) return 0;
  const auto bit = [](search::Head head) { return std::uint64_t{1} << head.value(); };
  const auto draw = [&](std::uint64_t mask) {
    return search::RandomStream(key_.split(mask)).unit();
  };
  if (!grows_) {
    std::uint64_t mask = 0;
    for (const search::Head head : members) mask |= bit(head);
    return draw(mask);
  }
  double pairs = 0;
  for (std::size_t i = 0; i < members.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) pairs += draw(bit(members[i]) | bit(members[j]));
  }
  return pairs;
}

std::map<int, double> enumerated_costs(const search::CostTable& table, bool equal_sizes) {
  std::map<int, double> best;
  search::for_each_partition(table.heads(), [&](const search::Partition& partition) {
    if (equal_sizes && !partition.has_equal_sizes()) return;
    const double cost = table.partition_cost(partition);
    const auto [entry, fresh] = best.emplace(partition.groups(), cost);
    if (!fresh) entry->second = std::min(entry->second, cost);
  });
  return best;
}

search::GroupingProblem random_problem(int layers, int heads, search::GroupingRules rules,
                                       search::RandomKey key) {
  std::vector<search::LayerCosts> costs;
  for (int layer = 0; layer < layers; ++layer) {
    const search::RandomKey layer_key = key.split(static_cast<std::uint64_t>(layer));
    const Eigen::MatrixXd k = random_vectors(heads, 6, layer_key.split(0)) * (1 + layer);
    const Eigen::MatrixXd v = random_vectors(heads, 6, layer_key.split(1));
    const Eigen::MatrixXd gram_k = k * k.transpose();
    const Eigen::MatrixXd gram_v = v * v.transpose();
    costs.push_back({std::make_shared<search::GramCost>(gram_k),
                     std::make_shared<search::GramCost>(gram_v),
                     std::make_shared<search::GramCost>(gram_k + gram_v)});
  }
  return {std::move(costs), std::move(rules)};
}

}  // namespace regroup::tests
