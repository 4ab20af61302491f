#include "search/qcqa/stage_one.hpp"

#include <algorithm>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>

#include "search/base/error.hpp"
#include "search/base/parallel.hpp"
#include "search/base/stage_deadline.hpp"
#include "search/costs/descent.hpp"
#include "search/costs/pricing_work.hpp"
#include "search/evolution/memo_evaluator.hpp"
#include "search/exact/piecewise.hpp"
#include "search/qcqa/partition_space.hpp"

namespace regroup::search {
namespace {

/// Objectives (number of groups, cost) of one unit. Thread-safe: reads only.
class UnitEvaluator : public Evaluator {
 public:
  UnitEvaluator(const CostTable& costs, const PartitionSpace& space)
      : costs_(costs), space_(space) {}

  void evaluate(const Genomes& candidates, std::span<Objectives> objectives) const override {
    for_each_chunk(candidates.size(), [&](std::size_t i) {
      const std::vector<Label> labels = space_.labels(candidates[i]);
      const Label last = *std::ranges::max_element(labels);
      objectives[i] = {static_cast<double>(last + 1), costs_.partition_cost(labels)};
    });
  }

 private:
  const CostTable& costs_;
  const PartitionSpace& space_;
};

/// Partitions of unit `u` that a search by `costs` begins with.
std::vector<Partition> seed_partitions(const GroupingProblem& problem, std::size_t u,
                                       const CostTable& costs, std::span<const Grouping> seeds) {
  const Unit& unit = problem.units()[u];
  std::vector<Partition> partitions;
  for (const int groups : unit.group_counts) {
    partitions.push_back(Partition::neighbours(unit.heads(), groups));
  }
  for (const Grouping& seed : seeds) partitions.push_back(problem.partition_of(seed, u));
  for (FrontMember& member : piecewise_partitions(costs)) {
    partitions.push_back(std::move(member.partition));
  }
  return partitions;
}

/// The search of one unit. Where groups are too dear to price every one that generations meet, the
/// unit evolves by the sketch of its table, and what it found is priced and improved by the table.
class UnitSearch {
 public:
  UnitSearch(const GroupingProblem& problem, std::size_t u, GroupSizes sizes,
             const Nsga2Options& options, std::span<const Grouping> seeds, RandomKey key)
      : unit_(problem.units()[u]),
        space_(make_partition_space(unit_, sizes)),
        sketch_(is_costly(*unit_.costs) ? unit_.costs->sketch() : nullptr),
        evolved_(sketch_ ? *sketch_ : *unit_.costs),
        evaluator_(evolved_, *space_),
        memo_(evaluator_, space_->variation().genes()),
        one_group_cost_(evolved_.partition_cost(Partition::one_group(unit_.heads()))),
        search_(space_->variation(), memo_, genomes(problem, u, seeds), options, key) {}

  const Unit& unit() const { return unit_; }
  Nsga2& search() { return search_; }

  GenerationRecord record() const {
    const ParetoArchive& archive = search_.archive();
    return {1,
            unit_.name,
            search_.generation(),
            search_.evaluations(),
            archive.size(),
            hypervolume(archive.objectives(), unit_.heads(), one_group_cost_)};
  }

  /// The archive's partitions after local search, non-dominated again. Throws Interrupted.
  UnitFront polished_front(const MethodContext& context) const {
    ParetoArchive polished;
    for (const ParetoArchive::Entry& entry : search_.archive().entries()) {
      const Partition met = Partition::from_labels(space_->labels(entry.genome));
      const Partition partition = improved(met, context);
      polished.offer(partition.labels(),
                     {entry.objectives.size, unit_.costs->partition_cost(partition)});
    }
    UnitFront front;
    for (const ParetoArchive::Entry& entry : polished.entries()) {
      front.push_back({Partition::from_labels(entry.genome), entry.objectives.error});
    }
    return front;
  }

  /// The front with a partition for every number of groups, dominated or not. Throws Interrupted.
  UnitFront full_front(const MethodContext& context) const {
    UnitFront full;
    UnitFront found = polished_front(context);
    for (auto next = found.begin(); const int groups : unit_.group_counts) {
      if (next != found.end() && next->partition.groups() == groups) {
        full.push_back(std::move(*next++));
        continue;
      }
      const Partition partition = improved(Partition::neighbours(unit_.heads(), groups), context);
      full.push_back({partition, unit_.costs->partition_cost(partition)});
    }
    return full;
  }

 private:
  /// After local search by the prices, where there is a sketch by that one first.
  Partition improved(const Partition& start, const MethodContext& context) const {
    if (context.stop.stop_requested()) throw Interrupted();
    const DescentMoves moves = space_->descent_moves();
    if (!sketch_) return descend(*unit_.costs, start, moves);
    const double share =
        context.effort * kMostPolishingWork / static_cast<double>(unit_.group_counts.size());
    return descend(*unit_.costs, descend(*sketch_, start, moves), moves, share);
  }

  /// What the first population holds.
  Genomes genomes(const GroupingProblem& problem, std::size_t u,
                  std::span<const Grouping> seeds) const {
    Genomes result(space_->variation().genes());
    for (const Partition& partition : seed_partitions(problem, u, evolved_, seeds)) {
      if (const auto genome = space_->genome(partition)) result.append(*genome);
    }
    return result;
  }

  const Unit& unit_;
  std::unique_ptr<PartitionSpace> space_;
  std::shared_ptr<const CostTable> sketch_;  // null where all groups can be priced
  const CostTable& evolved_;
  UnitEvaluator evaluator_;
  MemoEvaluator memo_;
  double one_group_cost_;
  Nsga2 search_;
};

/// A stage's limit of evaluations is shared out evenly.
Nsga2Options unit_options(const QcqaOptions& options, std::size_t units) {
  Nsga2Options result = options.nsga2();
  if (result.evaluations > 0) {
    result.evaluations = std::max<std::size_t>(1, result.evaluations / units);
  }
  return result;
}

/// All units of a problem, a generation at a time.
class StageOne {
 public:
  StageOne(const GroupingProblem& problem, GroupSizes sizes, const QcqaOptions& options,
           const MethodContext& context, const QcqaState& state)
      : needs_all_counts_(problem.rules().shape == GroupShape::kStandard),
        searches_(problem.units().size()),
        history_(state.unit_history) {
    history_.resize(searches_.size());
    const Nsga2Options limits = unit_options(options, searches_.size());
    for_each_unit("first prices", context, [&](std::size_t u) {
      searches_[u] = std::make_unique<UnitSearch>(problem, u, sizes, limits, context.seeds,
                                                  context.key.split(u));
      if (!state.stage_one.empty()) searches_[u]->search().restore(state.stage_one[u]);
    });
  }

  bool is_done() const {
    return std::ranges::all_of(searches_,
                               [](const auto& unit) { return unit->search().is_done(); });
  }

  void step() {
    parallel_for(searches_.size(), [&](std::size_t u) {
      if (searches_[u]->search().is_done()) return;
      searches_[u]->search().step();
      history_[u].push_back(searches_[u]->record());
    });
  }

  int generations() const {
    int most = 0;
    for (const auto& unit : searches_) most = std::max(most, unit->search().generation() + 1);
    return most;
  }

  void save(QcqaState& state) const {
    state.stage_one.clear();
    for (const auto& unit : searches_) state.stage_one.push_back(unit->search().state());
    state.unit_history = history_;
  }

  std::vector<UnitFront> fronts(const MethodContext& context) const {
    std::vector<UnitFront> fronts(searches_.size());
    for_each_unit("improving partitions", context, [&](std::size_t u) {
      fronts[u] = needs_all_counts_ ? searches_[u]->full_front(context)
                                    : searches_[u]->polished_front(context);
    });
    return fronts;
  }

 private:
  /// A stage of work on every unit, in parallel.
  template <class Task>
  void for_each_unit(const std::string& stage, const MethodContext& context,
                     const Task& task) const {
    context.progress.begin(stage, searches_.size(), "layers");
    parallel_for(searches_.size(), [&](std::size_t u) {
      if (context.stop.stop_requested()) throw Interrupted();
      task(u);
      context.progress.advance(1);
    });
    context.progress.end();
  }

  bool needs_all_counts_;  // one number of groups for all units must be on every front
  std::vector<std::unique_ptr<UnitSearch>> searches_;
  std::vector<History> history_;
};

}  // namespace

std::vector<UnitFront> qcqa_stage_one(const GroupingProblem& problem, GroupSizes sizes,
                                      const QcqaOptions& options, const MethodContext& context,
                                      QcqaState& state) {
  StageOne units(problem, sizes, options, context, state);
  if (state.stage > 1) return units.fronts(context);
  const StageDeadline clock(state.seconds, options.seconds);
  context.progress.begin("stage 1: partitions of each layer",
                         static_cast<std::size_t>(options.generations) + 1, "generations");
  context.progress.advance(static_cast<std::size_t>(units.generations()));
  while (!units.is_done() && (units.generations() == 0 || !clock.is_over())) {
    if (context.stop.stop_requested()) throw Interrupted();
    units.step();
    units.save(state);
    state.seconds = clock.seconds();
    save(context.store, state);
    context.progress.advance(1);
  }
  context.progress.end();
  return units.fronts(context);
}

}  // namespace regroup::search
