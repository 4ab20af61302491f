#include "search/methods/asymgqa_method.hpp"

#include <atomic>
#include <optional>
#include <vector>

#include "search/asymgqa/nearest_heads.hpp"
#include "search/asymgqa/uniform_sizes.hpp"
#include "search/asymgqa/unit_search.hpp"
#include "search/error.hpp"
#include "search/parallel.hpp"

namespace regroup::search {
namespace {

std::vector<NearestHeads> nearest_heads(const GroupingProblem& problem,
                                        std::span<const Eigen::MatrixXd> distances) {
  if (distances.size() != problem.units().size()) {
    throw WorkError({.what = "asymgqa needs the distances of heads of every unit",
                     .expected = std::to_string(problem.units().size()),
                     .found = std::to_string(distances.size())});
  }
  return {distances.begin(), distances.end()};
}

/// One run of the method.
class Search {
 public:
  Search(const GroupingProblem& problem, const AsymGqaOptions& options,
         const MethodContext& context)
      : problem_(problem),
        options_(options),
        context_(context),
        nearest_(nearest_heads(problem, context.head_distances)),
        sizes_(uniform_sizes(problem)) {}

  /// Every unit by its own prices.
  MethodResult priced() const {
    const std::size_t units = nearest_.size();
    std::vector<std::optional<Partition>> found(sizes_.size() * units);
    std::atomic<std::size_t> evaluations{0};
    parallel_for(found.size(), [&](std::size_t task) {
      const CostTable& costs = *problem_.units()[task % units].costs;
      UnitFound unit = search(sizes_[task / units], task % units, [&](const Partition& partition) {
        return costs.partition_cost(partition);
      });
      context_.progress.advance(unit.evaluations);
      evaluations += unit.evaluations;
      found[task] = std::move(unit.partition);
    });
    MethodResult result;
    for (std::size_t size = 0; size < sizes_.size(); ++size) {
      std::vector<Partition> partitions;
      for (std::size_t u = 0; u < units; ++u) partitions.push_back(*found[size * units + u]);
      result.front.push_back(problem_.point(problem_.grouping(partitions)));
    }
    result.evaluations = evaluations;
    return result;
  }

  /// Every unit in the model that has the earlier ones grouped.
  MethodResult scored(const GroupingScore& score) const {
    MethodResult result;
    for (const UniformSize& size : sizes_) {
      std::vector<Partition> partitions(nearest_.size(), Partition::singletons(problem_.heads()));
      for (std::size_t u = 0; u < partitions.size(); ++u) {
        const auto score_unit = [&](const Partition& candidate) {
          partitions[u] = candidate;
          const double candidate_score = score.score(problem_.grouping(partitions));
          context_.progress.advance(1);
          return candidate_score;
        };
        const UnitFound unit = search(size, u, score_unit);
        partitions[u] = unit.partition;
        result.evaluations += unit.evaluations;
      }
      const Grouping grouping = problem_.grouping(partitions);
      result.front.push_back(
          {grouping, {static_cast<double>(grouping.kv_heads()), score.score(grouping)}});
      ++result.evaluations;
    }
    return result;
  }

 private:
  UnitFound search(const UniformSize& size, std::size_t unit, const PartitionScore& score) const {
    const AsymGqaMoves moves =
        problem_.rules().equal_sizes() ? AsymGqaMoves::kSwaps : AsymGqaMoves::kSwapsAndMoves;
    const RandomKey key = context_.key.split(static_cast<std::uint64_t>(size.groups)).split(unit);
    return asymgqa_search_unit(size.counts[unit], nearest_[unit], moves, options_, score, key,
                               context_.stop);
  }

  const GroupingProblem& problem_;
  const AsymGqaOptions& options_;
  const MethodContext& context_;
  std::vector<NearestHeads> nearest_;
  std::vector<UniformSize> sizes_;
};

}  // namespace

std::size_t AsymGqaMethod::candidates(const GroupingProblem& problem,
                                      const MethodOptions& options) const {
  std::size_t total = 0;
  for (const UniformSize& size : uniform_sizes(problem)) {
    for (const int groups : size.counts) {
      total += asymgqa_candidates(problem.heads(), groups, options.asymgqa);
    }
  }
  return total;
}

MethodResult AsymGqaMethod::run(const GroupingProblem& problem, const MethodOptions& options,
                                const MethodContext& context) const {
  const Search search(problem, options.asymgqa, context);
  context.progress.begin("searching", candidates(problem, options), "candidates");
  MethodResult result = context.score == nullptr ? search.priced() : search.scored(*context.score);
  context.progress.end();
  return result;
}

}  // namespace regroup::search
