#include "search/qcqa/stage_one.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "search/descent.hpp"
#include "search/parallel.hpp"
#include "search/variations/arbitrary_groups.hpp"
#include "search/variations/equal_groups.hpp"

namespace regroup::search {
namespace {

/// A kind of stage-1 candidate: how it varies, and the partition that a genome stands for.
class PartitionSpace {
 public:
  virtual ~PartitionSpace() = default;
  virtual const Variation& variation() const = 0;
  virtual DescentMoves descent_moves() const = 0;
  /// Group label of every head of a canonical genome.
  virtual std::vector<Label> labels(std::span<const Gene> genome) const = 0;
  /// Genomes of the neighbour partitions of every reachable number of groups.
  virtual Genomes neighbour_genomes() const = 0;
};

class ArbitrarySpace : public PartitionSpace {
 public:
  ArbitrarySpace(int heads, int limit) : heads_(heads), limit_(limit), variation_(heads, limit) {}

  const Variation& variation() const override { return variation_; }
  DescentMoves descent_moves() const override { return DescentMoves::kMovesAndSwaps; }
  std::vector<Label> labels(std::span<const Gene> genome) const override {
    return {genome.begin(), genome.end()};
  }
  Genomes neighbour_genomes() const override {
    Genomes result(variation_.genes());
    for (int groups = 1; groups <= limit_; ++groups) {
      result.append(Partition::neighbours(heads_, groups).labels());
    }
    return result;
  }

 private:
  int heads_;
  int limit_;
  ArbitraryGroups variation_;
};

class EqualSpace : public PartitionSpace {
 public:
  EqualSpace(int heads, int limit) : heads_(heads), variation_(heads, limit) {}

  const Variation& variation() const override { return variation_; }
  DescentMoves descent_moves() const override { return DescentMoves::kSwaps; }
  std::vector<Label> labels(std::span<const Gene> genome) const override {
    return variation_.labels(genome);
  }
  Genomes neighbour_genomes() const override {
    Genomes result(variation_.genes());
    for (const int groups : variation_.group_counts()) {
      result.append(variation_.genome(Partition::neighbours(heads_, groups)));
    }
    return result;
  }

 private:
  int heads_;
  EqualGroups variation_;
};

std::unique_ptr<PartitionSpace> make_space(int heads, const StageOneOptions& options) {
  const int limit = options.group_limit == 0 ? heads : std::min(options.group_limit, heads);
  if (options.sizes == GroupSizes::kEqual) return std::make_unique<EqualSpace>(heads, limit);
  return std::make_unique<ArbitrarySpace>(heads, limit);
}

/// Objectives (number of groups, cost) of one unit. Thread-safe: reads only.
class UnitEvaluator : public Evaluator {
 public:
  UnitEvaluator(const Unit& unit, const PartitionSpace& space) : unit_(unit), space_(space) {}

  void evaluate(const Genomes& candidates, std::span<Objectives> objectives) const override {
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      const std::vector<Label> labels = space_.labels(candidates[i]);
      const Label last = *std::max_element(labels.begin(), labels.end());
      objectives[i] = {static_cast<double>(last + 1), unit_.costs->partition_cost(labels)};
    }
  }

 private:
  const Unit& unit_;
  const PartitionSpace& space_;
};

/// The archive's partitions after local search, non-dominated again.
UnitFront polished_front(const ParetoArchive& archive, const PartitionSpace& space,
                         const CostTable& costs) {
  ParetoArchive polished;
  for (const ParetoArchive::Entry& entry : archive.entries()) {
    const Partition met = Partition::from_labels(space.labels(entry.genome));
    const Partition partition = descend(costs, met, space.descent_moves());
    polished.offer(partition.labels(), {entry.objectives.size, costs.partition_cost(partition)});
  }
  UnitFront front;
  for (const ParetoArchive::Entry& entry : polished.entries()) {
    front.push_back({Partition::from_labels(entry.genome), entry.objectives.error});
  }
  return front;
}

struct UnitResult {
  UnitFront front;
  History history;
  std::size_t evaluations = 0;
};

UnitResult search_unit(const Unit& unit, const StageOneOptions& options, RandomKey key,
                       std::stop_token stop, Progress& progress) {
  const int heads = unit.costs->heads();
  const std::unique_ptr<PartitionSpace> space = make_space(heads, options);
  const UnitEvaluator evaluator(unit, *space);
  const double one_group = unit.costs->partition_cost(Partition::one_group(heads));
  UnitResult result;
  const auto observe = [&](const GenerationReport& report) {
    result.history.push_back(
        {1, unit.name, report.generation, report.evaluations, report.archive.size(),
         hypervolume(report.archive.objectives(), static_cast<double>(heads), one_group)});
    progress.advance(1);
  };
  const Nsga2Result found = nsga2(space->variation(), evaluator, space->neighbour_genomes(),
                                  options.nsga2, key, stop, observe);
  result.evaluations = found.evaluations;
  result.front = polished_front(found.archive, *space, *unit.costs);
  return result;
}

}  // namespace

StageOneResult qcqa_stage_one(const GroupingProblem& problem, const StageOneOptions& options,
                              RandomKey key, std::stop_token stop, Progress& progress) {
  const std::vector<Unit>& units = problem.units();
  const auto generations = static_cast<std::size_t>(options.nsga2.generations) + 1;
  progress.begin("stage 1: partitions of each layer", units.size() * generations, "generations");
  std::vector<UnitResult> results(units.size());
  parallel_for(units.size(), [&](std::size_t u) {
    results[u] = search_unit(units[u], options, key.split(u), stop, progress);
  });
  progress.end();
  StageOneResult all;
  for (UnitResult& result : results) {
    all.fronts.push_back(std::move(result.front));
    all.history.insert(all.history.end(), result.history.begin(), result.history.end());
    all.evaluations += result.evaluations;
  }
  return all;
}

}  // namespace regroup::search
