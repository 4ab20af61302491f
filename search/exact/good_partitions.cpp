#include "search/exact/good_partitions.hpp"

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

#include "search/base/parallel.hpp"
#include "search/costs/descent.hpp"
#include "search/costs/pricing_work.hpp"
#include "search/exact/piecewise.hpp"
#include "search/problem/baselines.hpp"

namespace regroup::search {
namespace {

constexpr int kRandomStarts = 16;

/// Joins the two groups whose union adds least to the cost.
Partition with_one_group_less(const CostTable& table, const Partition& partition) {
  const std::vector<std::vector<Head>> groups = partition.members();
  double least = std::numeric_limits<double>::infinity();
  std::pair<std::size_t, std::size_t> cheapest{0, 0};
  for (std::size_t a = 0; a < groups.size(); ++a) {
    for (std::size_t b = 0; b < a; ++b) {
      std::vector<Head> both = groups[a];
      both.insert(both.end(), groups[b].begin(), groups[b].end());
      const double added =
          table.group_cost(both) - table.group_cost(groups[a]) - table.group_cost(groups[b]);
      if (added < least) {
        least = added;
        cheapest = {a, b};
      }
    }
  }
  std::vector<Label> labels(partition.labels().begin(), partition.labels().end());
  std::ranges::replace(labels, static_cast<Label>(cheapest.first),
                       static_cast<Label>(cheapest.second));
  return Partition::from_labels(labels);
}

/// Takes the head out of its group whose leaving saves most.
Partition with_one_group_more(const CostTable& table, const Partition& partition) {
  double most = -std::numeric_limits<double>::infinity();
  std::vector<Label> best;
  for (const std::vector<Head>& group : partition.members()) {
    if (group.size() == 1) continue;
    const double whole = table.group_cost(group);
    for (const Head leaving : group) {
      std::vector<Head> rest;
      std::ranges::copy_if(group, std::back_inserter(rest),
                           [&](Head head) { return head != leaving; });
      const double saved = whole - table.group_cost(rest);
      if (saved <= most) continue;
      most = saved;
      best.assign(partition.labels().begin(), partition.labels().end());
      best[leaving.at()] = static_cast<Label>(partition.groups());
    }
  }
  return Partition::from_labels(best);
}

class Collector {
 public:
  Collector(const CostTable& table, const std::vector<int>& group_counts, GroupSizes sizes,
            double effort)
      : table_(table), counts_(group_counts), equal_(sizes == GroupSizes::kEqual) {
    if (is_costly(table)) {
      const auto starts = 2 * static_cast<double>(counts_.size());
      most_work_ = effort * kMostPolishingWork / starts;
    }
    for (const int groups : counts_) {
      best_.push_back(
          {Partition::neighbours(table.heads(), groups), std::numeric_limits<double>::infinity()});
    }
  }

  /// Keeps the best of the local optima below the starts for every number of groups; in parallel
  /// over these.
  void offer(const std::vector<Partition>& starts) {
    parallel_for(counts_.size(), [&](std::size_t i) {
      for (const Partition& start : starts) {
        if (start.groups() == counts_[i]) descend_from(start, best_[i]);
      }
    });
  }

  void offer_neighbouring_counts() {
    for (std::size_t i = best_.size(); i-- > 1;) {
      offer({with_one_group_less(table_, best_[i].partition)});
    }
    for (std::size_t i = 0; i + 1 < best_.size(); ++i) {
      offer({with_one_group_more(table_, best_[i].partition)});
    }
  }

  UnitFront take() { return std::move(best_); }

 private:
  void descend_from(const Partition& start, FrontMember& best) const {
    if (equal_ && !start.has_equal_sizes()) return;
    const auto moves = equal_ ? DescentMoves::kSwaps : DescentMoves::kMovesAndSwaps;
    const Partition partition = descend(table_, start, moves, most_work_);
    const double cost = table_.partition_cost(partition);
    if (cost < best.cost) best = {partition, cost};
  }

  const CostTable& table_;
  const std::vector<int>& counts_;
  bool equal_;
  double most_work_ = std::numeric_limits<double>::infinity();  // of one descent
  UnitFront best_;
};

/// Where local searches of a cheap table begin beside the neighbours.
std::vector<Partition> many_starts(const CostTable& table, const std::vector<int>& group_counts,
                                   GroupSizes sizes, RandomKey key) {
  std::vector<Partition> starts;
  for (const FrontMember& member : piecewise_partitions(table)) starts.push_back(member.partition);
  for (const int groups : group_counts) {
    RandomStream random(key.split(static_cast<std::uint64_t>(groups)));
    for (int start = 0; start < kRandomStarts; ++start) {
      starts.push_back(random_partition(table.heads(), groups, sizes, random));
    }
  }
  return starts;
}

/// Those of a costly table: what is good by its sketch is near what is good by its prices.
std::vector<Partition> sketched_starts(const CostTable& sketch,
                                       const std::vector<int>& group_counts, GroupSizes sizes,
                                       RandomKey key) {
  std::vector<Partition> starts;
  for (const FrontMember& member : good_partitions(sketch, group_counts, sizes, key)) {
    starts.push_back(member.partition);
  }
  return starts;
}

}  // namespace

UnitFront good_partitions(const CostTable& table, const std::vector<int>& group_counts,
                          GroupSizes sizes, RandomKey key, double effort) {
  std::vector<Partition> starts;
  for (const int groups : group_counts) {
    starts.push_back(Partition::neighbours(table.heads(), groups));
  }
  const auto sketch = table.sketch();
  std::ranges::move(sketch ? sketched_starts(*sketch, group_counts, sizes, key)
                           : many_starts(table, group_counts, sizes, key),
                    std::back_inserter(starts));
  Collector collector(table, group_counts, sizes, effort);
  collector.offer(starts);
  if (sizes == GroupSizes::kArbitrary && !is_costly(table)) collector.offer_neighbouring_counts();
  return collector.take();
}

}  // namespace regroup::search
