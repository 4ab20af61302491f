#include "search/qcqa/marginal_allocation.hpp"

#include <limits>

namespace regroup::search {
namespace {

/// Cost per group saved when a unit goes from member `from` to the smaller member `to`.
double slope(const UnitFront& front, std::size_t from, std::size_t to) {
  const int saved = front[from].partition.groups() - front[to].partition.groups();
  return (front[to].cost - front[from].cost) / saved;
}

/// The next vertex of the lower convex hull below `from`: the smaller member reached at the least
/// cost per group, the farthest of those on ties.
std::size_t next_on_hull(const UnitFront& front, std::size_t from) {
  std::size_t best = from - 1;
  for (std::size_t to = from - 1; to-- > 0;) {
    if (slope(front, from, to) <= slope(front, from, best)) best = to;
  }
  return best;
}

}  // namespace

std::vector<Choice> marginal_allocation(const std::vector<Unit>& units,
                                        const std::vector<UnitFront>& fronts) {
  Choice current;
  for (const UnitFront& front : fronts) current.push_back(front.size() - 1);
  std::vector<Choice> choices{current};
  while (true) {
    double least = std::numeric_limits<double>::infinity();
    std::size_t cheapest = units.size();
    std::size_t target = 0;
    for (std::size_t u = 0; u < units.size(); ++u) {
      if (current[u] == 0) continue;
      const std::size_t to = next_on_hull(fronts[u], current[u]);
      const double price = slope(fronts[u], current[u], to) / units[u].kv_heads_per_group;
      if (price < least) {
        least = price;
        cheapest = u;
        target = to;
      }
    }
    if (cheapest == units.size()) return choices;
    current[cheapest] = target;
    choices.push_back(current);
  }
}

}  // namespace regroup::search
