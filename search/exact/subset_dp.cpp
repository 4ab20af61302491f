#include "search/exact/subset_dp.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>
#include <vector>

#include "search/base/error.hpp"
#include "search/base/parallel.hpp"
#include "search/costs/pricing_work.hpp"

namespace regroup::search {
namespace {

/// A set of heads, head h as bit h.
using Mask = std::uint32_t;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::size_t count(Mask set) {
  return static_cast<std::size_t>(std::popcount(set));
}

/// Subsets of a batch: few enough that expensive prices are spread evenly.
constexpr std::size_t kBatch = 16;

std::vector<Head> members_of(std::size_t set) {
  std::vector<Head> members;
  for (; set != 0; set &= set - 1) members.emplace_back(std::countr_zero(set));
  return members;
}

/// A way to divide a set: its first group, and the set that is left.
struct Division {
  Mask group;
  Mask rest;
};

/// Calls `visit(division)` for every division of `set` whose first group holds the lowest head.
template <class Visit>
void for_each_division(Mask set, const Visit& visit) {
  const Mask others = set & (set - 1);
  for (Mask rest = others;; rest = (rest - 1) & others) {
    visit(Division{set ^ rest, rest});
    if (rest == 0) return;
  }
}

/// Best costs of all sets that a division can leave: those without head 0.
class SubsetTable {
 public:
  /// `costs` of all subsets, which must outlive it.
  SubsetTable(const std::vector<double>& costs, GroupSizes sizes)
      : n_(static_cast<std::size_t>(std::countr_zero(costs.size()))),
        equal_(sizes == GroupSizes::kEqual),
        costs_(costs) {
    if (equal_) return;  // filled for one size of groups at a time
    best_.assign((std::size_t{1} << (n_ - 1)) * n_, kInfinity);
    for (Mask set = 2; set < costs_.size(); set += 2) fill(set);
  }

  FrontMember best_partition(std::size_t groups) {
    if (equal_) fill_equal(n_ / groups);
    std::vector<Label> labels(n_);
    Mask set = static_cast<Mask>(costs_.size() - 1);
    double cost = 0;
    for (std::size_t k = groups; k >= 1; --k) {
      const Division division = best_division(set, k);
      cost += costs_[division.group];
      for (std::size_t h = 0; h < n_; ++h) {
        if ((division.group >> h & 1) != 0) labels[h] = static_cast<Label>(groups - k);
      }
      set = division.rest;
    }
    return {Partition::from_labels(labels), cost};
  }

 private:
  /// Best costs of `set` by number of groups less one; sets without head 0 only.
  double* row(Mask set) { return best_.data() + std::size_t{set >> 1} * n_; }

  void fill(Mask set) {
    double* const best = row(set);
    best[0] = costs_[set];
    const Mask others = set & (set - 1);
    for (Mask rest = others; rest != 0; rest = (rest - 1) & others) {
      const double cost = costs_[set ^ rest];
      const double* const left = row(rest);
      const std::size_t most = count(rest);
      for (std::size_t k = 0; k < most; ++k) {
        const double total = cost + left[k];
        best[k + 1] = total < best[k + 1] ? total : best[k + 1];
      }
    }
  }

  /// Sets of a multiple of `size` heads by groups of `size`: the number of groups follows, and one
  /// cost stands for each set.
  void fill_equal(std::size_t size) {
    size_ = size;
    best_.assign(std::size_t{1} << (n_ - 1), kInfinity);
    best_[0] = 0;
    for (Mask set = 2; set < costs_.size(); set += 2) {
      if (count(set) % size != 0) continue;
      double& best = best_[set >> 1];
      for_each_division(set, [&](Division division) {
        if (count(division.group) != size) return;
        best = std::min(best, costs_[division.group] + best_[division.rest >> 1]);
      });
    }
  }

  double cost_of_rest(Mask rest, std::size_t groups) {
    if (equal_) return best_[rest >> 1];
    if (groups == 0) return rest == 0 ? 0 : kInfinity;
    return rest == 0 ? kInfinity : row(rest)[groups - 1];
  }

  Division best_division(Mask set, std::size_t groups) {
    Division best{set, 0};
    double least = kInfinity;
    for_each_division(set, [&](Division division) {
      if (equal_ && count(division.group) != size_) return;
      const double total = costs_[division.group] + cost_of_rest(division.rest, groups - 1);
      if (total < least) {
        least = total;
        best = division;
      }
    });
    return best;
  }

  std::size_t n_;
  bool equal_;
  std::size_t size_ = 0;  // of the groups, where they are equal
  const std::vector<double>& costs_;
  std::vector<double> best_;
};

}  // namespace

bool is_small(const CostTable& table) {
  return is_small(table.heads(), [&](int members) { return table.work(members); });
}

bool is_small(int heads, const std::function<double(int members)>& work) {
  return heads <= kMostSubsetHeads && work_of_all_groups(heads, work) <= kMostPricingWork;
}

SubsetProgram::SubsetProgram(const CostTable& table) : table_(table) {
  if (table.heads() > kMostSubsetHeads) {
    throw InputError({.what = "too many heads for dynamic programming over subsets",
                      .expected = fmt::format("at most {}", kMostSubsetHeads),
                      .found = std::to_string(table.heads())});
  }
  costs_.resize(std::size_t{1} << table.heads());
}

std::size_t SubsetProgram::batches() const {
  return (costs_.size() + kBatch - 1) / kBatch;
}

void SubsetProgram::price(std::size_t batch) {
  const std::size_t begin = (batches() - 1 - batch) * kBatch;
  const std::size_t end = std::min(costs_.size(), begin + kBatch);
  for (std::size_t set = begin; set < end; ++set) costs_[set] = table_.group_cost(members_of(set));
}

UnitFront SubsetProgram::solve(GroupSizes sizes) const {
  SubsetTable best(costs_, sizes);
  UnitFront front;
  for (int groups = 1; groups <= table_.heads(); ++groups) {
    if (sizes == GroupSizes::kEqual && table_.heads() % groups != 0) continue;
    front.push_back(best.best_partition(static_cast<std::size_t>(groups)));
  }
  return front;
}

UnitFront subset_dp(const CostTable& table, GroupSizes sizes) {
  SubsetProgram program(table);
  parallel_for(program.batches(), [&](std::size_t batch) { program.price(batch); });
  return program.solve(sizes);
}

}  // namespace regroup::search
