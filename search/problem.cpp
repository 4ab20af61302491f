#include "search/problem.hpp"

#include <fmt/format.h>

#include <utility>

#include "search/error.hpp"

namespace regroup::search {

GroupingProblem::GroupingProblem(std::vector<LayerCosts> layers, PartitionSharing sharing)
    : layers_(std::move(layers)), sharing_(sharing) {
  if (layers_.empty()) throw InputError({.what = "model has no attention layers"});
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    if (sharing_ == PartitionSharing::kJoint) {
      units_.push_back({fmt::format("layer {}", i), layers_[i].joint, 2});
    } else {
      units_.push_back({fmt::format("layer {} keys", i), layers_[i].keys, 1});
      units_.push_back({fmt::format("layer {} values", i), layers_[i].values, 1});
    }
  }
}

int GroupingProblem::source_kv_heads() const {
  int total = 0;
  for (const Unit& unit : units_) total += unit.kv_heads_per_group * unit.costs->heads();
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
  const std::size_t step = sharing_ == PartitionSharing::kJoint ? 1 : 2;
  for (std::size_t i = 0; i < partitions.size(); i += step) {
    result.layers.push_back({partitions[i], partitions[i + step - 1]});
  }
  return result;
}

Objectives GroupingProblem::objectives(const Grouping& grouping) const {
  Objectives result{static_cast<double>(grouping.kv_heads()), 0};
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const LayerGrouping& layer = grouping.layers[i];
    result.error += layers_[i].keys->partition_cost(layer.keys) +
                    layers_[i].values->partition_cost(layer.values);
  }
  return result;
}

}  // namespace regroup::search
