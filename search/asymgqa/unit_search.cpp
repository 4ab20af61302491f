#include "search/asymgqa/unit_search.hpp"

#include <limits>
#include <utility>

#include "search/problem/baselines.hpp"

namespace regroup::search {
namespace {

bool has_choice(int heads, int groups) {
  return groups > 1 && groups < heads;
}

}  // namespace

std::size_t asymgqa_candidates(int heads, int groups, const AsymGqaOptions& options) {
  return has_choice(heads, groups) ? 1 + static_cast<std::size_t>(options.iterations) : 0;
}

AsymGqaUnitSearch::AsymGqaUnitSearch(int groups, const NearestHeads& nearest, AsymGqaMoves moves,
                                     const AsymGqaOptions& options, RandomKey key)
    : nearest_(&nearest),
      moves_(moves),
      options_(options),
      key_(key),
      random_(key.split(0)),
      current_(random_partition(nearest.heads(), groups, GroupSizes::kEqual, random_)),
      best_(current_),
      best_score_(std::numeric_limits<double>::infinity()) {
  if (has_choice(nearest.heads(), groups)) candidate_ = current_;
}

void AsymGqaUnitSearch::take(double score) {
  ++evaluations_;
  if (score < best_score_) {
    best_ = current_ = *candidate_;
    best_score_ = score;
  } else if (random_.chance(options_.accept)) {
    current_ = *candidate_;
  }
  propose();
}

void AsymGqaUnitSearch::propose() {
  // The start was the first of the candidates.
  if (evaluations_ > static_cast<std::size_t>(options_.iterations)) {
    candidate_.reset();
    return;
  }
  random_ = RandomStream(key_.split(evaluations_));
  if (random_.chance(options_.reset)) {
    current_ = random_partition(nearest_->heads(), best_.groups(), GroupSizes::kEqual, random_);
  }
  candidate_ = random_move(current_, *nearest_, moves_, random_);
}

}  // namespace regroup::search
