#include "search/exact/block_relaxation.hpp"

#include <algorithm>
#include <limits>

namespace regroup::search {
namespace {

bool contains(const std::vector<Head>& block, Head head) {
  return std::ranges::find(block, head) != block.end();
}

bool must_stay_apart(const PartitionSubset& subset, std::size_t a, std::size_t b) {
  return std::ranges::any_of(subset.apart, [&](const auto& pair) {
    return (contains(subset.blocks[a], pair.first) && contains(subset.blocks[b], pair.second)) ||
           (contains(subset.blocks[a], pair.second) && contains(subset.blocks[b], pair.first));
  });
}

}  // namespace

RelaxedSubset BlockRelaxation::relax(const PartitionSubset& subset, int /*groups*/,
                                     double /*cutoff*/, int /*effort*/) const {
  RelaxedSubset result;
  if (table_.grows()) {
    for (const std::vector<Head>& block : subset.blocks) result.bound += table_.group_cost(block);
  }
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t a = 0; a < subset.blocks.size(); ++a) {
    for (std::size_t b = 0; b < a; ++b) {
      if (must_stay_apart(subset, a, b)) continue;
      std::vector<Head> both = subset.blocks[a];
      both.insert(both.end(), subset.blocks[b].begin(), subset.blocks[b].end());
      const double cost = table_.group_cost(both);
      if (cost < least) {
        least = cost;
        result.undecided = {b, a};
      }
    }
  }
  return result;
}

}  // namespace regroup::search
