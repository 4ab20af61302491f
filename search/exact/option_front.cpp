#include "search/exact/option_front.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "search/base/error.hpp"

namespace regroup::search {
namespace {

void require_options(const GroupingProblem& problem, const std::vector<UnitOptions>& options) {
  if (options.size() != problem.units().size()) {
    throw InputError({.what = "not every unit has options",
                      .expected = fmt::format("{} units", problem.units().size()),
                      .found = std::to_string(options.size())});
  }
  for (std::size_t u = 0; u < options.size(); ++u) {
    const Unit& unit = problem.units()[u];
    if (options[u].empty()) {
      throw InputError({.what = "a unit has no options", .where = unit.name});
    }
    for (const FrontMember& option : options[u]) {
      if (option.partition.heads() == unit.heads() &&
          std::ranges::binary_search(unit.group_counts, option.partition.groups())) {
        continue;
      }
      throw InputError({.what = "an option is not among the partitions that its unit may have",
                        .where = unit.name,
                        .found = option.partition.to_string()});
    }
  }
}

std::vector<std::vector<SplitOption>> sizes_and_costs(const GroupingProblem& problem,
                                                      const std::vector<UnitOptions>& options) {
  std::vector<std::vector<SplitOption>> result(options.size());
  for (std::size_t u = 0; u < options.size(); ++u) {
    for (const FrontMember& option : options[u]) {
      const int size = problem.units()[u].kv_heads_per_group * option.partition.groups();
      result[u].push_back({size, option.cost});
    }
  }
  return result;
}

/// The unit's cheapest option of so many groups, the first of equal ones; none if it has none.
std::optional<std::size_t> cheapest_option(const UnitOptions& options, int groups) {
  std::optional<std::size_t> best;
  for (std::size_t o = 0; o < options.size(); ++o) {
    if (options[o].partition.groups() != groups) continue;
    if (!best || options[o].cost < options[*best].cost) best = o;
  }
  return best;
}

/// The choice that gives all units so many groups; none if a unit has no such option.
std::optional<Split> uniform_split(const GroupingProblem& problem,
                                   const std::vector<UnitOptions>& options, int groups) {
  Split split;
  for (std::size_t u = 0; u < options.size(); ++u) {
    const auto option = cheapest_option(options[u], groups);
    if (!option) return std::nullopt;
    split.size += problem.units()[u].kv_heads_per_group * groups;
    split.cost += options[u][*option].cost;
    split.choice.push_back(static_cast<int>(*option));
  }
  return split;
}

std::vector<Split> uniform_splits(const GroupingProblem& problem,
                                  const std::vector<UnitOptions>& options) {
  std::vector<Split> splits;
  for (const int groups : problem.units().front().group_counts) {
    const auto split = uniform_split(problem, options, groups);
    if (split && split->size <= problem.kv_heads_limit()) splits.push_back(*split);
  }
  return splits;
}

}  // namespace

std::vector<Split> option_splits(const GroupingProblem& problem,
                                 const std::vector<UnitOptions>& options) {
  require_options(problem, options);
  if (problem.rules().shape == GroupShape::kStandard) return uniform_splits(problem, options);
  return budget_split(sizes_and_costs(problem, options), problem.kv_heads_limit());
}

Grouping chosen_grouping(const GroupingProblem& problem, const std::vector<UnitOptions>& options,
                         const std::vector<int>& choice) {
  std::vector<Partition> partitions;
  for (std::size_t u = 0; u < options.size(); ++u) {
    partitions.push_back(options[u][static_cast<std::size_t>(choice[u])].partition);
  }
  return problem.grouping(partitions);
}

std::vector<ModelPoint> option_front(const GroupingProblem& problem,
                                     const std::vector<UnitOptions>& options) {
  std::vector<ModelPoint> front;
  for (const Split& split : improving_splits(option_splits(problem, options))) {
    front.push_back({chosen_grouping(problem, options, split.choice),
                     {static_cast<double>(split.size), split.cost}});
  }
  return front;
}

}  // namespace regroup::search
