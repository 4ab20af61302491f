#pragma once

#include <map>
#include <vector>

#include "search/evolution/genomes.hpp"
#include "search/evolution/pareto.hpp"
#include "search/evolution/staircase.hpp"

namespace regroup::search {

/// Every non-dominated candidate met so far, one for each that differs in its objectives (the first
/// met stays). Not thread-safe.
class ParetoArchive {
 public:
  struct Entry {
    Objectives objectives;
    std::vector<Gene> genome;
    bool operator==(const Entry&) const = default;
  };

  ParetoArchive() = default;
  /// From what `entries` gave.
  explicit ParetoArchive(const std::vector<Entry>& entries);

  /// Keeps the candidate if nothing kept is as good, and drops what it dominates; says whether it
  /// was kept. O(log n) for each value of compute that is kept, and what is dropped.
  bool offer(std::span<const Gene> genome, const Objectives& objectives);

  /// By ascending size, then error; where all have one compute, hence by descending error.
  std::vector<Entry> entries() const;
  std::vector<Objectives> objectives() const;
  std::size_t size() const;

 private:
  /// Staircases of size and error, by compute. None is empty.
  std::map<double, Staircase<Entry>> levels_;
};

}  // namespace regroup::search
