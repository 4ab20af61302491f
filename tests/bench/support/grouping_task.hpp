#pragma once

#include <memory>

#include "search/costs/gram_cost.hpp"
#include "search/evolution/evaluator.hpp"
#include "search/groupings/partition.hpp"

namespace regroup::bench {

/// One problem for two search engines: the partitions of the 32 heads of one layer, objectives
/// (number of groups, WSE). Thread-safe: reads only.
class GroupingTask : public search::Evaluator {
 public:
  static constexpr int kHeads = 32;

  GroupingTask();

  /// Candidates are canonical labels.
  void evaluate(const search::Genomes& candidates,
                std::span<search::Objectives> objectives) const override;
  /// Of any labels below 2 · Partition::kMaxHeads, which are made canonical.
  search::Objectives objectives(std::span<search::Label> labels) const;

  const search::GramCost& costs() const { return costs_; }
  /// Hypervolume of a population, reference point (heads, WSE of one group).
  double hypervolume(std::span<const search::Objectives> population) const;

 private:
  search::GramCost costs_;
  double one_group_cost_;
};

}  // namespace regroup::bench
