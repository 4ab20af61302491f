#include "search/asymgqa/unit_search.hpp"

#include <utility>

#include "search/baselines.hpp"
#include "search/error.hpp"

namespace regroup::search {
namespace {

bool has_choice(int heads, int groups) {
  return groups > 1 && groups < heads;
}

}  // namespace

std::size_t asymgqa_candidates(int heads, int groups, const AsymGqaOptions& options) {
  return has_choice(heads, groups) ? 1 + static_cast<std::size_t>(options.iterations) : 0;
}

UnitFound asymgqa_search_unit(int groups, const NearestHeads& nearest, AsymGqaMoves moves,
                              const AsymGqaOptions& options, const PartitionScore& score,
                              RandomKey key, std::stop_token stop) {
  RandomStream start(key.split(0));
  Partition current = random_partition(nearest.heads(), groups, GroupSizes::kEqual, start);
  if (!has_choice(nearest.heads(), groups)) return {current, 0};
  UnitFound best{current, 1};
  double best_score = score(current);
  for (int iteration = 1; iteration <= options.iterations; ++iteration) {
    if (stop.stop_requested()) throw Interrupted();
    RandomStream random(key.split(static_cast<std::uint64_t>(iteration)));
    if (random.chance(options.reset)) {
      current = random_partition(nearest.heads(), groups, GroupSizes::kEqual, random);
    }
    Partition candidate = random_move(current, nearest, moves, random);
    const double candidate_score = score(candidate);
    ++best.evaluations;
    if (candidate_score < best_score) {
      best.partition = current = std::move(candidate);
      best_score = candidate_score;
    } else if (random.chance(options.accept)) {
      current = std::move(candidate);
    }
  }
  return best;
}

}  // namespace regroup::search
