#include "search/costs/cost_table.hpp"

#include "search/base/error.hpp"
#include "search/costs/block_relaxation.hpp"

namespace regroup::search {

CostTable::~CostTable() = default;

double CostTable::partition_cost(std::span<const Label> labels) const {
  double cost = 0;
  for (const std::vector<Head>& group : Partition::from_labels(labels).members()) {
    cost += group_cost(group);
  }
  return cost;
}

double CostTable::serving_cost(Head, std::span<const Head>) const {
  throw InputError({.what = "this fitness cannot price a query head outside its group",
                    .where = "--fitness",
                    .expected = "one that can, such as wse"});
}

std::unique_ptr<PartitionState> CostTable::state(const Partition& partition) const {
  return std::make_unique<RepricedState>(*this, partition);
}

std::unique_ptr<const Relaxation> CostTable::relaxation() const {
  return std::make_unique<BlockRelaxation>(*this);
}

}  // namespace regroup::search
