#include "search/problem/enumeration.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "search/base/error.hpp"

namespace regroup::search {
namespace {

constexpr int kMostHeads = 10;
constexpr double kMostGroupings = 1e6;

void require_few_heads(int heads) {
  if (heads <= kMostHeads) return;
  throw InputError({.what = "too many KV heads in a layer to enumerate their groupings",
                    .expected = fmt::format("at most {}", kMostHeads),
                    .found = std::to_string(heads)});
}

void require_few(double groupings) {
  if (groupings <= kMostGroupings) return;
  throw InputError({.what = "too many groupings to look at every one",
                    .expected = fmt::format("at most {}", kMostGroupings),
                    .found = fmt::format("{:.3g}", groupings)});
}

std::vector<Partition> allowed_partitions(const Unit& unit, const GroupingRules& rules) {
  std::vector<Partition> allowed;
  for_each_partition(unit.heads(), [&](const Partition& partition) {
    const bool has_count = std::ranges::count(unit.group_counts, partition.groups()) > 0;
    if (!has_count || (rules.equal_sizes() && !partition.has_equal_sizes())) return;
    allowed.push_back(partition);
  });
  return allowed;
}

/// Whether the rules for the whole model allow these partitions of its units.
bool is_allowed(const std::vector<Partition>& partitions, const Grouping& grouping,
                const GroupingProblem& problem) {
  if (grouping.size() > problem.kv_heads_limit()) return false;
  const int groups = partitions.front().groups();
  return problem.rules().shape != GroupShape::kStandard ||
         std::ranges::all_of(partitions, [=](const Partition& p) { return p.groups() == groups; });
}

}  // namespace

void for_each_partition(int heads, const std::function<void(const Partition&)>& visit) {
  // Restricted growth strings, by recursion over the heads.
  std::vector<Label> labels(static_cast<std::size_t>(heads));
  const std::function<void(std::size_t, int)> extend = [&](std::size_t head, int groups) {
    if (head == labels.size()) {
      visit(Partition::from_labels(labels));
      return;
    }
    for (int label = 0; label <= groups; ++label) {
      labels[head] = static_cast<Label>(label);
      extend(head + 1, std::max(groups, label + 1));
    }
  };
  extend(0, 0);
}

void require_enumerable(int units, int heads) {
  require_few_heads(heads);
  double partitions = 0;
  for_each_partition(heads, [&](const Partition&) { ++partitions; });
  require_few(std::pow(partitions, units));
}

GroupingEnumeration::GroupingEnumeration(const GroupingProblem& problem) : problem_(problem) {
  require_few_heads(problem.heads());
  double groupings = 1;
  for (const Unit& unit : problem.units()) {
    partitions_.push_back(allowed_partitions(unit, problem.rules()));
    groupings *= static_cast<double>(partitions_.back().size());
  }
  require_few(groupings);
}

std::size_t GroupingEnumeration::size() const {
  std::size_t groupings = 1;
  for (const std::vector<Partition>& unit : partitions_) groupings *= unit.size();
  return groupings;
}

void GroupingEnumeration::for_each(const std::function<void(const Grouping&)>& visit) const {
  std::vector<Partition> chosen;
  const std::function<void()> extend = [&] {
    if (chosen.size() == partitions_.size()) {
      const Grouping grouping = problem_.grouping(chosen);
      if (is_allowed(chosen, grouping, problem_)) visit(grouping);
      return;
    }
    for (const Partition& partition : partitions_[chosen.size()]) {
      chosen.push_back(partition);
      extend();
      chosen.pop_back();
    }
  };
  extend();
}

}  // namespace regroup::search
