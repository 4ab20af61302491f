#include "search/asymgqa/asymgqa_method.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <utility>
#include <vector>

#include "search/asymgqa/found_partitions.hpp"
#include "search/asymgqa/nearest_heads.hpp"
#include "search/asymgqa/uniform_sizes.hpp"
#include "search/base/error.hpp"
#include "search/base/parallel.hpp"

namespace regroup::search {
namespace {

constexpr std::array kDistances = {Named<HeadDistance>{"activation", HeadDistance::kActivation},
                                   Named<HeadDistance>{"weight", HeadDistance::kWeight}};

std::vector<NearestHeads> nearest_heads(const GroupingProblem& problem,
                                        std::span<const Eigen::MatrixXd> distances) {
  if (distances.size() != problem.units().size()) {
    throw WorkError({.what = "asymgqa needs the distances of heads of every unit",
                     .expected = std::to_string(problem.units().size()),
                     .found = std::to_string(distances.size())});
  }
  return {distances.begin(), distances.end()};
}

/// Sizes that are searched side by side by a score: their candidates are scored together.
constexpr std::size_t kSizesTogether = 4;

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
    const std::size_t tasks = sizes_.size() * units;
    FoundPartitions found(tasks, context_.store);
    parallel_for(tasks, [&](std::size_t task) {
      if (!found.of(task)) found.add(task, search_alone(sizes_[task / units], task % units));
      context_.progress.advance(found.of(task)->evaluations);
    });
    MethodResult result;
    for (std::size_t size = 0; size < sizes_.size(); ++size) {
      std::vector<Partition> partitions;
      for (std::size_t u = 0; u < units; ++u) {
        FoundPartitions::Found best = *found.of(size * units + u);
        partitions.push_back(std::move(best.partition));
        result.evaluations += best.evaluations;
      }
      result.front.push_back(problem_.point(problem_.grouping(partitions)));
    }
    return result;
  }

  /// Every unit in the model that has the earlier ones grouped; some sizes side by side.
  MethodResult scored(const GroupingScore& score) const {
    MethodResult result;
    for (std::size_t begin = 0; begin < sizes_.size(); begin += kSizesTogether) {
      const std::size_t count = std::min(kSizesTogether, sizes_.size() - begin);
      add_scored(std::span(sizes_).subspan(begin, count), score, result);
    }
    return result;
  }

 private:
  AsymGqaUnitSearch unit_search(const UniformSize& size, std::size_t unit) const {
    const AsymGqaMoves moves =
        problem_.rules().equal_sizes() ? AsymGqaMoves::kSwaps : AsymGqaMoves::kSwapsAndMoves;
    const RandomKey key = context_.key.split(static_cast<std::uint64_t>(size.groups)).split(unit);
    return {size.counts[unit], nearest_[unit], moves, options_, key};
  }

  /// One unit for one size, by its own prices.
  FoundPartitions::Found search_alone(const UniformSize& size, std::size_t unit) const {
    const CostTable& costs = *problem_.units()[unit].costs;
    AsymGqaUnitSearch search = unit_search(size, unit);
    while (const Partition* candidate = search.candidate()) {
      if (context_.stop.stop_requested()) throw Interrupted();
      search.take(costs.partition_cost(*candidate));
    }
    return {search.best(), search.evaluations()};
  }

  void add_scored(std::span<const UniformSize> sizes, const GroupingScore& score,
                  MethodResult& result) const {
    using Partitions = std::vector<Partition>;
    std::vector<Partitions> chosen(
        sizes.size(), Partitions(nearest_.size(), Partition::singletons(problem_.heads())));
    for (std::size_t u = 0; u < nearest_.size(); ++u) {
      std::vector<AsymGqaUnitSearch> searches;
      for (const UniformSize& size : sizes) searches.push_back(unit_search(size, u));
      while (score_candidates(searches, u, chosen, score)) {
      }
      for (std::size_t i = 0; i < sizes.size(); ++i) {
        chosen[i][u] = searches[i].best();
        result.evaluations += searches[i].evaluations();
      }
    }
    std::vector<Grouping> groupings;
    for (const Partitions& partitions : chosen) groupings.push_back(problem_.grouping(partitions));
    const std::vector<double> scores = score.scores(groupings);
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      result.front.push_back({groupings[i], {groupings[i].size(), scores[i]}});
    }
    result.evaluations += sizes.size();
  }

  /// Scores the next candidate of unit `u` of every search together, each beside the partitions
  /// chosen for its size so far; false if no search has one.
  bool score_candidates(std::span<AsymGqaUnitSearch> searches, std::size_t u,
                        std::span<std::vector<Partition>> chosen,
                        const GroupingScore& score) const {
    std::vector<AsymGqaUnitSearch*> proposing;
    std::vector<Grouping> groupings;
    for (std::size_t i = 0; i < searches.size(); ++i) {
      if (searches[i].candidate() == nullptr) continue;
      chosen[i][u] = *searches[i].candidate();
      groupings.push_back(problem_.grouping(chosen[i]));
      proposing.push_back(&searches[i]);
    }
    if (proposing.empty()) return false;
    const std::vector<double> scores = score.scores(groupings);
    for (std::size_t i = 0; i < proposing.size(); ++i) proposing[i]->take(scores[i]);
    context_.progress.advance(proposing.size());
    return true;
  }

  const GroupingProblem& problem_;
  const AsymGqaOptions& options_;
  const MethodContext& context_;
  std::vector<NearestHeads> nearest_;
  std::vector<UniformSize> sizes_;
};

/// Candidates of all units and sizes.
std::size_t candidates_of(const GroupingProblem& problem, const AsymGqaOptions& options) {
  std::size_t total = 0;
  for (const UniformSize& size : uniform_sizes(problem)) {
    for (const int groups : size.counts) {
      total += asymgqa_candidates(problem.heads(), groups, options);
    }
  }
  return total;
}

}  // namespace

std::vector<Option> AsymGqaMethod::options() {
  return {
      {"--distance", "distance", "",
       "asymgqa: heads are compared by what they make of the calibration text (activation) or by "
       "their weights (weight)",
       names_of(settings_.distance, kDistances)},
      {"--iterations", "iterations", "N",
       fmt::format("asymgqa: moves tried in each layer for each number of groups (0: {}, with a "
                   "measured fitness {})",
                   kPricedIterations, kMeasuredIterations),
       NumberField<int>{&settings_.iterations, 0, kMany}},
      {"--accept", "accept", "P",
       "asymgqa: probability to go on from a grouping that is not the best so far",
       NumberField<double>{&settings_.accept, 0, 1}},
      {"--reset", "reset", "P", "asymgqa: probability to start a move from a new random grouping",
       NumberField<double>{&settings_.reset, 0, 1}}};
}

void AsymGqaMethod::complete(bool by_score) {
  settings_.iterations = unit_options(by_score).iterations;
}

AsymGqaOptions AsymGqaMethod::unit_options(bool by_score) const {
  const int usual = by_score ? kMeasuredIterations : kPricedIterations;
  return {settings_.iterations > 0 ? settings_.iterations : usual, settings_.accept,
          settings_.reset};
}

std::size_t AsymGqaMethod::candidates(const GroupingProblem& problem) const {
  return candidates_of(problem, unit_options(true));
}

MethodResult AsymGqaMethod::run(const GroupingProblem& problem,
                                const MethodContext& context) const {
  const AsymGqaOptions options = unit_options(context.score != nullptr);
  const Search search(problem, options, context);
  context.progress.begin("searching", candidates_of(problem, options), "candidates");
  MethodResult result = context.score == nullptr ? search.priced() : search.scored(*context.score);
  context.progress.end();
  return result;
}

}  // namespace regroup::search
