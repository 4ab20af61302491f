#include "search/asymgqa/uniform_sizes.hpp"

#include <utility>

namespace regroup::search {

std::vector<UniformSize> uniform_sizes(const GroupingProblem& problem) {
  std::vector<UniformSize> sizes;
  for (int groups = 1; groups <= problem.heads(); ++groups) {
    UniformSize size{groups, {}};
    int kv_heads = 0;
    for (const Unit& unit : problem.units()) {
      size.counts.push_back(unit.groups_within(groups));
      kv_heads += unit.kv_heads_per_group * size.counts.back();
    }
    if (kv_heads > problem.kv_heads_limit()) break;
    const bool known = !sizes.empty() && sizes.back().counts == size.counts;
    if (!known) sizes.push_back(std::move(size));
  }
  return sizes;
}

}  // namespace regroup::search
