#include "search/evolution/genome_index.hpp"

#include <algorithm>
#include <cstring>

namespace regroup::search {
namespace {

constexpr std::size_t kFirstSlots = 64;

/// Multiply and fold, word by word; the constant is 2⁶⁴ over the golden ratio, made odd.
std::uint64_t hash(std::span<const Gene> genome) {
  constexpr std::uint64_t kMultiplier = 0x9E3779B97F4A7C15;
  constexpr std::size_t kGenesPerWord = sizeof(std::uint64_t) / sizeof(Gene);
  std::uint64_t hash = genome.size();
  for (std::size_t i = 0; i < genome.size(); i += kGenesPerWord) {
    std::uint64_t word = 0;
    std::memcpy(&word, genome.data() + i,
                std::min(kGenesPerWord, genome.size() - i) * sizeof(Gene));
    hash = (hash ^ word) * kMultiplier;
    hash ^= hash >> 32;
  }
  return hash;
}

}  // namespace

GenomeIndex::Place GenomeIndex::insert(std::span<const Gene> genome) {
  if (2 * (size() + 1) > slots_.size()) grow();
  const std::uint64_t key = hash(genome);
  const std::size_t mask = slots_.size() - 1;
  std::size_t slot = key & mask;
  for (; slots_[slot] != 0; slot = (slot + 1) & mask) {
    const std::size_t number = slots_[slot] - 1;
    if (hashes_[number] == key && std::ranges::equal((*this)[number], genome)) {
      return {number, false};
    }
  }
  genomes_.append(genome);
  hashes_.push_back(key);
  slots_[slot] = static_cast<std::uint32_t>(size());
  return {size() - 1, true};
}

void GenomeIndex::clear() {
  genomes_.clear();
  hashes_.clear();
  std::ranges::fill(slots_, 0);
}

void GenomeIndex::grow() {
  slots_.assign(std::max(kFirstSlots, 2 * slots_.size()), 0);
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t number = 0; number < size(); ++number) {
    std::size_t slot = hashes_[number] & mask;
    while (slots_[slot] != 0) slot = (slot + 1) & mask;
    slots_[slot] = static_cast<std::uint32_t>(number + 1);
  }
}

}  // namespace regroup::search
