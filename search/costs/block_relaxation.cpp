#include "search/costs/block_relaxation.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>
#include <vector>

namespace regroup::search {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
/// Rounding of a bound, relative to it: the bound must hold in spite of it.
constexpr double kBoundRounding = 1e-12;
constexpr int kSearchSteps = 60;

bool contains(const std::vector<Head>& block, Head head) {
  return std::ranges::find(block, head) != block.end();
}

bool must_stay_apart(const PartitionSubset& subset, std::size_t a, std::size_t b) {
  return std::ranges::any_of(subset.apart, [&](const auto& pair) {
    return (contains(subset.blocks[a], pair.first) && contains(subset.blocks[b], pair.second)) ||
           (contains(subset.blocks[a], pair.second) && contains(subset.blocks[b], pair.first));
  });
}

/// Least additions to the cost by the size of a block's group in blocks: w[i][r − 1] = w_i(r), up
/// to the largest group that leaves one block for each of the others.
using Additions = std::vector<std::vector<double>>;

/// `added[i]`: the d_ij of block i, in any order.
Additions least_additions(std::vector<std::vector<double>> added, std::size_t largest) {
  for (std::vector<double>& row : added) {
    std::ranges::sort(row);
    double sum = 0;
    for (std::size_t i = 0; i < row.size(); ++i) {
      sum += row[i];
      const std::size_t size = i + 2;
      row[i] = 0.5 * sum / static_cast<double>(size % 2 == 0 ? size - 1 : size);
    }
    row.insert(row.begin(), 0.0);
    row.resize(std::min(row.size(), largest));
  }
  return added;
}

/// The Lagrangian of Σ_i w_i(r_i) under Σ_i 1 / r_i = groups: a bound for any multiplier.
double lagrangian(const Additions& additions, double multiplier, int groups) {
  double bound = -multiplier * groups;
  for (const std::vector<double>& by_size : additions) {
    double least = kInfinity;
    for (std::size_t i = 0; i < by_size.size(); ++i) {
      least = std::min(least, by_size[i] + multiplier / static_cast<double>(i + 1));
    }
    bound += least;
  }
  return bound;
}

/// The largest Lagrangian, which is concave, by ternary search; at least 0, that of multiplier 0.
double largest_lagrangian(const Additions& additions, int groups) {
  double high = 0;
  for (const std::vector<double>& by_size : additions) {
    for (const double addition : by_size) {
      if (addition < kInfinity) high = std::max(high, addition);
    }
  }
  // Where the multiplier is so large, every block is in the largest group.
  high *= static_cast<double>(additions.size() * additions.size());
  double low = 0;
  double best = 0;
  for (int step = 0; step < kSearchSteps; ++step) {
    const double left = low + (high - low) / 3;
    const double right = high - (high - low) / 3;
    const double at_left = lagrangian(additions, left, groups);
    const double at_right = lagrangian(additions, right, groups);
    best = std::max({best, at_left, at_right});
    (at_left < at_right ? low : high) = at_left < at_right ? left : right;
  }
  return best;
}

std::vector<Head> join(const std::vector<Head>& a, const std::vector<Head>& b) {
  std::vector<Head> both = a;
  both.insert(both.end(), b.begin(), b.end());
  return both;
}

}  // namespace

RelaxedSubset BlockRelaxation::relax(const PartitionSubset& subset, int groups, double /*cutoff*/,
                                     int /*effort*/) const {
  const std::size_t blocks = subset.blocks.size();
  std::vector<double> costs;
  for (const std::vector<Head>& block : subset.blocks) costs.push_back(table_.group_cost(block));
  RelaxedSubset result;
  std::vector<std::vector<double>> added(blocks);
  double least = kInfinity;
  for (std::size_t a = 0; a < blocks; ++a) {
    for (std::size_t b = 0; b < a; ++b) {
      if (must_stay_apart(subset, a, b)) continue;
      const double both = table_.group_cost(join(subset.blocks[a], subset.blocks[b]));
      const double addition = both - costs[a] - costs[b];
      added[a].push_back(std::max(0.0, addition));
      added[b].push_back(std::max(0.0, addition));
      if (addition < least) {
        least = addition;
        result.undecided = {b, a};
      }
    }
  }
  if (table_.grows()) {
    const std::size_t largest = blocks + 1 - static_cast<std::size_t>(groups);
    result.bound = std::accumulate(costs.begin(), costs.end(), 0.0) +
                   largest_lagrangian(least_additions(std::move(added), largest), groups);
    result.bound *= 1 - kBoundRounding;
  }
  return result;
}

}  // namespace regroup::search
