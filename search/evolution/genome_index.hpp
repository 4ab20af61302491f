#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "search/evolution/genomes.hpp"

namespace regroup::search {

/// Distinct genomes of one length, numbered in the order in which they came and found again by
/// content in O(genes). Not thread-safe.
class GenomeIndex {
 public:
  explicit GenomeIndex(std::size_t genes) : genomes_(genes) {}

  struct Place {
    std::size_t number;
    bool is_new;
  };
  /// The number of `genome`, which is added if it was not there.
  Place insert(std::span<const Gene> genome);

  std::size_t size() const { return genomes_.size(); }
  std::span<const Gene> operator[](std::size_t number) const { return genomes_[number]; }
  void clear();

 private:
  void grow();

  Genomes genomes_;
  std::vector<std::uint64_t> hashes_;  // by number
  std::vector<std::uint32_t> slots_;   // open addressing: number + 1, 0 where free; a power of two
};

}  // namespace regroup::search
