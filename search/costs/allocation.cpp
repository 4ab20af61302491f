#include "search/costs/allocation.hpp"

namespace regroup::search {

std::vector<Group> allocate_in_order(std::span<const int> counts) {
  std::vector<Group> query_to_group;
  for (std::size_t group = 0; group < counts.size(); ++group) {
    query_to_group.insert(query_to_group.end(), static_cast<std::size_t>(counts[group]),
                          Group(static_cast<int>(group)));
  }
  return query_to_group;
}

double allocation_cost(const CostTable& table, const Partition& partition,
                       std::span<const Group> query_to_group) {
  const int queries_per_head = static_cast<int>(query_to_group.size()) / partition.heads();
  const std::vector<std::vector<Head>> members = partition.members();
  double cost = 0;
  for (std::size_t query = 0; query < query_to_group.size(); ++query) {
    const Head head(static_cast<int>(query) / queries_per_head);
    cost += table.serving_cost(head, members[query_to_group[query].at()]);
  }
  return cost / queries_per_head;
}

}  // namespace regroup::search
