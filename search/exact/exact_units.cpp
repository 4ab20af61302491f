#include "search/exact/exact_units.hpp"

#include <algorithm>
#include <memory>
#include <optional>

#include "search/base/error.hpp"
#include "search/base/parallel.hpp"
#include "search/base/stage_deadline.hpp"
#include "search/costs/relaxation.hpp"
#include "search/exact/good_partitions.hpp"
#include "search/exact/subset_dp.hpp"

namespace regroup::search {
namespace {

/// Differences of less than this part of the one-group cost count as proven (METHODS §8).
constexpr double kTolerance = 1e-9;

/// Those of the unit's numbers of groups that the sizes allow.
std::vector<int> group_counts(const Unit& unit, GroupSizes sizes) {
  std::vector<int> counts;
  std::ranges::copy_if(unit.group_counts, std::back_inserter(counts), [&](int groups) {
    return sizes == GroupSizes::kArbitrary || unit.heads() % groups == 0;
  });
  return counts;
}

/// A piece of work by the unit it belongs to and its place there.
struct Task {
  std::size_t unit;
  std::size_t place;
};

/// The units that are small enough for subsets.
class SmallUnits {
 public:
  SmallUnits(const GroupingProblem& problem, const std::vector<std::size_t>& units) {
    for (const std::size_t u : units) {
      units_.push_back(&problem.units()[u]);
      programs_.emplace_back(*problem.units()[u].costs);
    }
  }

  /// Prices the subsets of all units, in one row for the threads.
  void price(const MethodContext& context) {
    std::vector<Task> batches;
    for (std::size_t i = 0; i < programs_.size(); ++i) {
      for (std::size_t b = 0; b < programs_[i].batches(); ++b) batches.push_back({i, b});
    }
    context.progress.begin("pricing groups", batches.size(), "batches");
    parallel_for(batches.size(), [&](std::size_t i) {
      if (context.stop.stop_requested()) throw Interrupted();
      programs_[batches[i].unit].price(batches[i].place);
      context.progress.advance(1);
    });
    context.progress.end();
  }

  ProvenUnit solve(std::size_t i, GroupSizes sizes) const {
    const std::vector<int> counts = group_counts(*units_[i], sizes);
    ProvenUnit solved;
    for (const FrontMember& member : programs_[i].solve(sizes)) {
      if (!std::ranges::binary_search(counts, member.partition.groups())) continue;
      solved.push_back({member.partition, member.cost, member.cost, true, 0});
    }
    return solved;
  }

 private:
  std::vector<const Unit*> units_;
  std::vector<SubsetProgram> programs_;
};

/// The trees of one unit, one for each number of groups.
class UnitTrees {
 public:
  UnitTrees(const Unit& unit, GroupSizes sizes, RandomKey key, double effort)
      : relaxation_(unit.costs->relaxation()) {
    const double one_group = unit.costs->partition_cost(Partition::one_group(unit.heads()));
    BranchOptions options;
    options.sizes = sizes;
    options.tolerance = kTolerance * one_group;
    for (const FrontMember& good :
         good_partitions(*unit.costs, group_counts(unit, sizes), sizes, key, effort)) {
      trees_.emplace_back(BranchAndBound(*unit.costs, *relaxation_, good.partition, options));
      results_.push_back(trees_.back()->result());
    }
  }

  std::size_t size() const { return trees_.size(); }
  void explore(std::size_t i, std::size_t nodes, std::stop_token stop) {
    if (!trees_[i]) return;
    trees_[i]->explore(nodes, stop);
    results_[i] = trees_[i]->result();
    if (results_[i].is_optimal) trees_[i].reset();
  }
  /// Gives up the tree, which may be large.
  void close(std::size_t i) { trees_[i].reset(); }
  const ProvenUnit& results() const { return results_; }

 private:
  std::unique_ptr<const Relaxation> relaxation_;
  std::vector<std::optional<BranchAndBound>> trees_;
  ProvenUnit results_;
};

/// The units that are too large for subsets.
class LargeUnits {
 public:
  LargeUnits(const GroupingProblem& problem, const std::vector<std::size_t>& units,
             GroupSizes sizes, const MethodContext& context)
      : trees_(units.size()) {
    parallel_for(units.size(), [&](std::size_t i) {
      trees_[i] = std::make_unique<UnitTrees>(problem.units()[units[i]], sizes,
                                              context.key.split(units[i]), context.effort);
    });
    for (std::size_t i = 0; i < trees_.size(); ++i) {
      for (std::size_t t = 0; t < trees_[i]->size(); ++t) ids_.push_back({i, t});
    }
  }

  /// Explores every tree up to `nodes`, unless the time is over; with `last` each is then given up.
  void explore(std::size_t nodes, bool last, const StageDeadline& clock,
               const MethodContext& context) {
    context.progress.begin(last ? "proving partitions" : "bounding partitions", ids_.size(),
                           "partitions");
    parallel_for(ids_.size(), [&](std::size_t i) {
      if (context.stop.stop_requested()) throw Interrupted();
      UnitTrees& unit = *trees_[ids_[i].unit];
      if (!clock.is_over()) unit.explore(ids_[i].place, nodes, context.stop);
      if (last) unit.close(ids_[i].place);
      context.progress.advance(1);
    });
    context.progress.end();
  }

  const ProvenUnit& results(std::size_t i) const { return trees_[i]->results(); }

 private:
  std::vector<std::unique_ptr<UnitTrees>> trees_;
  std::vector<Task> ids_;
};

}  // namespace

std::vector<ProvenUnit> solve_units(const GroupingProblem& problem, const ExactOptions& options,
                                    const MethodContext& context) {
  const StageDeadline clock(0, options.seconds);
  std::vector<ProvenUnit> solved(problem.units().size());
  std::vector<std::size_t> small;
  std::vector<std::size_t> large;
  for (std::size_t u = 0; u < solved.size(); ++u) {
    (is_small(*problem.units()[u].costs) ? small : large).push_back(u);
  }
  if (!small.empty()) {
    SmallUnits subsets(problem, small);
    subsets.price(context);
    context.progress.begin("solving layers", small.size(), "partitions");
    parallel_for(small.size(), [&](std::size_t i) {
      if (context.stop.stop_requested()) throw Interrupted();
      solved[small[i]] = subsets.solve(i, options.sizes);
      context.progress.advance(1);
    });
    context.progress.end();
  }
  if (large.empty()) return solved;
  LargeUnits trees(problem, large, options.sizes, context);
  trees.explore(1, false, clock, context);
  trees.explore(options.nodes, true, clock, context);
  for (std::size_t i = 0; i < large.size(); ++i) solved[large[i]] = trees.results(i);
  return solved;
}

}  // namespace regroup::search
