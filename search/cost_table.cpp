#include "search/cost_table.hpp"

namespace regroup::search {

double CostTable::partition_cost(std::span<const Label> labels) const {
  double cost = 0;
  for (const std::vector<Head>& group : Partition::from_labels(labels).members()) {
    cost += group_cost(group);
  }
  return cost;
}

std::unique_ptr<PartitionState> CostTable::state(const Partition& partition) const {
  return std::make_unique<RepricedState>(*this, partition);
}

}  // namespace regroup::search
