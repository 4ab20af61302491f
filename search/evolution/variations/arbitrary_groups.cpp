#include "search/evolution/variations/arbitrary_groups.hpp"

#include <algorithm>
#include <array>

#include "search/groupings/partition.hpp"

namespace regroup::search {
namespace {

constexpr double kFurtherChange = 0.3;
constexpr double kMove = 0.4;
constexpr double kSwap = 0.3;
constexpr double kMerge = 0.15;  // the rest splits

std::size_t random_head(std::span<const Gene> genome, RandomStream& random) {
  return random.below(genome.size());
}

/// Of a canonical genome.
int group_count(std::span<const Gene> genome) {
  return 1 + *std::ranges::max_element(genome);
}

void swap_two_heads(std::span<Gene> genome, RandomStream& random) {
  const std::size_t a = random_head(genome, random);
  const std::size_t b = random_head(genome, random);
  std::swap(genome[a], genome[b]);
}

void rename(std::span<Gene> genome, Gene from, Gene to) {
  std::replace(genome.begin(), genome.end(), from, to);
}

/// Each head of one group stays or leaves for the group `fresh` with equal chance.
void split_group(std::span<Gene> genome, Gene fresh, RandomStream& random) {
  const Gene group = genome[random_head(genome, random)];
  for (Gene& label : genome) {
    if (label == group && random.chance(0.5)) label = fresh;
  }
}

}  // namespace

void ArbitraryGroups::sample(RandomStream& random, std::span<Gene> out) const {
  // The number of labels is drawn first: uniform labels alone would almost never give few groups.
  const int labels = fewest_ + random.below(most_ - fewest_ + 1);
  for (Gene& gene : out) gene = static_cast<Gene>(random.below(labels));
  regroup::search::canonicalise(out);
  enforce_limits(out, random);
}

void ArbitraryGroups::cross(std::span<const Gene> a, std::span<const Gene> b, RandomStream& random,
                            std::span<Gene> child) const {
  std::copy(a.begin(), a.end(), child.begin());
  const auto offset = static_cast<Gene>(heads_);
  // Labels of b lie below its number of heads: one bit each says whether the group is taken.
  std::array<std::uint64_t, Partition::kMaxHeads / 64> taken;
  for (std::size_t word = 0; 64 * word < genes(); ++word) taken[word] = random.bits();
  for (std::size_t head = 0; head < genes(); ++head) {
    const bool is_taken = (taken[b[head] / 64] >> (b[head] % 64) & 1) != 0;
    if (is_taken) child[head] = static_cast<Gene>(offset + b[head]);
  }
  // Labels run to twice the number of heads here; the canonical form brings them back.
  regroup::search::canonicalise(child);
  enforce_limits(child, random);
}

void ArbitraryGroups::mutate(std::span<Gene> genome, RandomStream& random) const {
  do {
    mutate_once(genome, random);
    canonicalise(genome);
    enforce_limits(genome, random);
  } while (random.chance(kFurtherChange));
}

void ArbitraryGroups::mutate_once(std::span<Gene> genome, RandomStream& random) const {
  const int groups = group_count(genome);
  const auto spare = static_cast<Gene>(groups);
  const bool may_open = groups < most_;
  const double kind = random.unit();
  if (kind < kMove) {
    const std::size_t head = random_head(genome, random);
    genome[head] = static_cast<Gene>(random.below(may_open ? groups + 1 : groups));
  } else if (kind < kMove + kSwap) {
    swap_two_heads(genome, random);
  } else if (kind < kMove + kSwap + kMerge || !may_open) {
    const auto from = static_cast<Gene>(random.below(groups));
    const auto to = static_cast<Gene>(random.below(groups));
    if (groups > fewest_) rename(genome, from, to);
  } else {
    split_group(genome, spare, random);
  }
}

void ArbitraryGroups::enforce_limits(std::span<Gene> genome, RandomStream& random) const {
  int groups = group_count(genome);
  for (; groups > most_; --groups) {
    // The last group joins another one: labels stay 0 … groups − 2.
    rename(genome, static_cast<Gene>(groups - 1), static_cast<Gene>(random.below(groups - 1)));
  }
  if (groups >= fewest_) return;
  for (; groups < fewest_; ++groups) {
    std::size_t head = random_head(genome, random);
    while (std::ranges::count(genome, genome[head]) == 1) head = random_head(genome, random);
    genome[head] = static_cast<Gene>(groups);
  }
  canonicalise(genome);
}

void ArbitraryGroups::canonicalise(std::span<Gene> genome) const {
  regroup::search::canonicalise(genome);
}

}  // namespace regroup::search
