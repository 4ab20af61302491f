#pragma once

#include <map>
#include <vector>

#include "search/evolution/genomes.hpp"
#include "search/evolution/pareto.hpp"

namespace regroup::search {

/// Every non-dominated candidate met so far, one for each pair of objectives (the first met stays).
/// Not thread-safe.
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
  /// was kept. O(log n) and what is dropped.
  bool offer(std::span<const Gene> genome, const Objectives& objectives);

  /// By ascending size, hence by descending error.
  std::vector<Entry> entries() const;
  std::vector<Objectives> objectives() const;
  std::size_t size() const { return by_size_.size(); }

 private:
  std::map<double, Entry> by_size_;
};

}  // namespace regroup::search
