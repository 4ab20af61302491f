#include "tests/bench/support/grouping_task.hpp"

#include <algorithm>

#include "search/base/parallel.hpp"
#include "tests/bench/support/head_problem.hpp"

namespace regroup::bench {
namespace {

Eigen::MatrixXd task_gram() {
  const Eigen::MatrixXd vectors = head_vectors(GroupingTask::kHeads, 200, search::RandomKey(4));
  return vectors * vectors.transpose();
}

}  // namespace

GroupingTask::GroupingTask()
    : costs_(task_gram()),
      one_group_cost_(costs_.partition_cost(search::Partition::one_group(kHeads))) {}

void GroupingTask::evaluate(const search::Genomes& candidates,
                            std::span<search::Objectives> objectives) const {
  search::for_each_chunk(candidates.size(), [&](std::size_t i) {
    const search::Label last = *std::ranges::max_element(candidates[i]);
    objectives[i] = {static_cast<double>(last + 1), costs_.partition_cost(candidates[i])};
  });
}

search::Objectives GroupingTask::objectives(std::span<search::Label> labels) const {
  const int groups = search::canonicalise(labels);
  return {static_cast<double>(groups), costs_.partition_cost(labels)};
}

double GroupingTask::hypervolume(std::span<const search::Objectives> population) const {
  return search::hypervolume(population, kHeads, one_group_cost_);
}

}  // namespace regroup::bench
