#include "search/problem/problem.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "search/base/error.hpp"
#include "search/costs/allocation.hpp"

namespace regroup::search {

namespace {

std::vector<int> equal_widths(const Partition& partition, int width) {
  return std::vector<int>(static_cast<std::size_t>(partition.groups()), width);
}

/// Groups that store as many heads' width each.
void set_widths(const GroupMultiples& multiples, LayerGrouping& layer) {
  if (multiples.are_heads()) return;
  const int d = multiples.head_dim;
  layer.widths = GroupWidths{d, equal_widths(layer.keys, multiples.keys * d),
                             equal_widths(layer.values, multiples.values * d)};
}

}  // namespace

int Unit::groups_within(int groups) const {
  const auto above = std::upper_bound(group_counts.begin(), group_counts.end(), groups);
  return above == group_counts.begin() ? group_counts.front() : *std::prev(above);
}

GroupingProblem::GroupingProblem(std::vector<LayerCosts> layers, GroupingRules rules)
    : layers_(std::move(layers)), rules_(std::move(rules)) {
  if (layers_.empty()) throw InputError({.what = "model has no attention layers"});
  require_consistent(rules_, this->layers());
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const auto layer = static_cast<int>(i);
    const auto [keys, values, head_dim] = rules_.multiples_of(layer);
    const auto add = [&](std::string name, const std::shared_ptr<const CostTable>& costs,
                         int kv_heads_per_group, int multiple) {
      units_.push_back({std::move(name), costs, kv_heads_per_group,
                        allowed_group_counts(rules_, layer, costs->heads(), multiple)});
    };
    if (sharing() == PartitionSharing::kJoint) {
      add(fmt::format("layer {}", i), layers_[i].joint, keys + values, std::max(keys, values));
    } else {
      add(fmt::format("layer {} keys", i), layers_[i].keys, keys, keys);
      add(fmt::format("layer {} values", i), layers_[i].values, values, values);
    }
  }
  require_reachable_limit();
}

void GroupingProblem::require_reachable_limit() const {
  if (kv_heads_limit() >= smallest_kv_heads()) return;
  throw InputError({.what = "KV size is below the smallest that can be reached",
                    .expected = fmt::format("at least {} KV heads of {}", smallest_kv_heads(),
                                            source_kv_heads()),
                    .found = std::to_string(kv_heads_limit())});
}

int GroupingProblem::source_kv_heads() const {
  return 2 * heads() * layers();
}

int GroupingProblem::smallest_kv_heads() const {
  int total = 0;
  for (const Unit& unit : units_) total += unit.kv_heads_per_group * unit.fewest_groups();
  return total;
}

double GroupingProblem::one_group_error() const {
  double total = 0;
  for (const Unit& unit : units_) {
    total += unit.costs->partition_cost(Partition::one_group(unit.costs->heads()));
  }
  return total;
}

Grouping GroupingProblem::grouping(std::span<const Partition> partitions) const {
  Grouping result;
  const std::size_t step = sharing() == PartitionSharing::kJoint ? 1 : 2;
  for (std::size_t i = 0; i < partitions.size(); i += step) {
    result.layers.push_back({partitions[i], partitions[i + step - 1]});
    set_widths(rules_.multiples_of(static_cast<int>(i / step)), result.layers.back());
  }
  return result;
}

const Partition& GroupingProblem::partition_of(const Grouping& grouping, std::size_t u) const {
  if (sharing() == PartitionSharing::kJoint) return grouping.layers[u].keys;
  const LayerGrouping& layer = grouping.layers[u / 2];
  return u % 2 == 0 ? layer.keys : layer.values;
}

Objectives GroupingProblem::objectives(const Grouping& grouping) const {
  Objectives result{grouping.size(), 0};
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const LayerGrouping& layer = grouping.layers[i];
    if (layer.has_allocation()) {
      result.error += allocation_cost(*layers_[i].keys, layer.keys, layer.query_to_group) +
                      allocation_cost(*layers_[i].values, layer.values, layer.query_to_group);
      continue;
    }
    result.error += layers_[i].keys->partition_cost(layer.keys) +
                    layers_[i].values->partition_cost(layer.values);
  }
  return result;
}

}  // namespace regroup::search
