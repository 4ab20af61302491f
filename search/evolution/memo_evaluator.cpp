#include "search/evolution/memo_evaluator.hpp"

namespace regroup::search {

void MemoEvaluator::evaluate(const Genomes& candidates, std::span<Objectives> objectives) const {
  const std::scoped_lock lock(mutex_);
  if (index_.size() + candidates.size() > capacity_) {
    index_.clear();
    known_.clear();
  }
  const std::size_t remembered = index_.size();
  Genomes fresh(candidates.genes());
  std::vector<std::size_t> numbers;
  numbers.reserve(candidates.size());
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    const GenomeIndex::Place place = index_.insert(candidates[i]);
    if (place.is_new) fresh.append(candidates[i]);
    numbers.push_back(place.number);
  }
  misses_ += fresh.size();
  known_.resize(index_.size());
  inner_.evaluate(fresh, std::span(known_).subspan(remembered));
  for (std::size_t i = 0; i < candidates.size(); ++i) objectives[i] = known_[numbers[i]];
}

}  // namespace regroup::search
