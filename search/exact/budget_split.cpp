#include "search/exact/budget_split.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <numeric>
#include <utility>

namespace regroup::search {
namespace {

constexpr double kOutOfReach = std::numeric_limits<double>::infinity();
using OptionNumber = std::uint16_t;

int common_step(const std::vector<std::vector<SplitOption>>& units) {
  int step = 0;
  for (const std::vector<SplitOption>& options : units) {
    for (const SplitOption& option : options) step = std::gcd(step, option.size);
  }
  return step;
}

/// Least cost for every total size in steps, and the option of each unit that it took.
class SplitTable {
 public:
  SplitTable(int step, int limit)
      : step_(step), costs_(static_cast<std::size_t>(limit / step) + 1, kOutOfReach) {
    costs_[0] = 0;
  }

  void add_unit(const std::vector<SplitOption>& options) {
    std::vector<double> costs(costs_.size(), kOutOfReach);
    std::vector<OptionNumber> taken(costs_.size());
    for (std::size_t o = 0; o < options.size(); ++o) {
      const auto steps = static_cast<std::size_t>(options[o].size / step_);
      for (std::size_t size = steps; size < costs.size(); ++size) {
        const double cost = costs_[size - steps] + options[o].cost;
        if (cost < costs[size]) {
          costs[size] = cost;
          taken[size] = static_cast<OptionNumber>(o);
        }
      }
    }
    costs_ = std::move(costs);
    taken_.push_back(std::move(taken));
  }

  std::vector<Split> splits(const std::vector<std::vector<SplitOption>>& units) const {
    std::vector<Split> result;
    for (std::size_t size = 0; size < costs_.size(); ++size) {
      if (costs_[size] == kOutOfReach) continue;
      Split split{static_cast<int>(size) * step_, costs_[size], std::vector<int>(units.size())};
      std::size_t left = size;
      for (std::size_t u = units.size(); u-- > 0;) {
        const std::size_t option = taken_[u][left];
        split.choice[u] = static_cast<int>(option);
        left -= static_cast<std::size_t>(units[u][option].size / step_);
      }
      result.push_back(std::move(split));
    }
    return result;
  }

 private:
  int step_;
  std::vector<double> costs_;                     // by size in steps
  std::vector<std::vector<OptionNumber>> taken_;  // by unit, then size
};

}  // namespace

std::vector<Split> budget_split(const std::vector<std::vector<SplitOption>>& units, int limit) {
  SplitTable table(common_step(units), limit);
  for (const std::vector<SplitOption>& options : units) table.add_unit(options);
  return table.splits(units);
}

std::vector<Split> improving_splits(std::vector<Split> splits) {
  double least = std::numeric_limits<double>::infinity();
  std::vector<Split> improving;
  for (Split& split : splits) {
    if (split.cost >= least) continue;
    least = split.cost;
    improving.push_back(std::move(split));
  }
  return improving;
}

std::vector<Objectives> least_costs(const std::vector<Split>& splits) {
  double least = std::numeric_limits<double>::infinity();
  std::vector<Objectives> costs;
  for (const Split& split : splits) {
    least = std::min(least, split.cost);
    costs.push_back({static_cast<double>(split.size), least});
  }
  return costs;
}

}  // namespace regroup::search
