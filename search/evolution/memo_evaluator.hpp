#pragma once

#include <mutex>
#include <vector>

#include "search/evolution/evaluator.hpp"
#include "search/evolution/genome_index.hpp"

namespace regroup::search {

/// Remembers the objectives of canonical candidates, so that one that comes again is not evaluated
/// again. It holds at most `capacity` of them and starts anew when it is full; what it returns does
/// not depend on what it holds. Thread-safe: one batch at a time.
class MemoEvaluator : public Evaluator {
 public:
  static constexpr std::size_t kDefaultCapacity = 1 << 13;

  /// `inner` must outlive this object; `capacity` ≥ 1.
  MemoEvaluator(const Evaluator& inner, std::size_t genes, std::size_t capacity = kDefaultCapacity)
      : inner_(inner), capacity_(capacity), index_(genes) {}

  void evaluate(const Genomes& candidates, std::span<Objectives> objectives) const override;

  /// Candidates that were passed on to the inner evaluator.
  std::size_t misses() const { return misses_; }

 private:
  const Evaluator& inner_;
  std::size_t capacity_;
  mutable std::mutex mutex_;
  mutable GenomeIndex index_;
  mutable std::vector<Objectives> known_;  // by number
  mutable std::size_t misses_ = 0;
};

}  // namespace regroup::search
