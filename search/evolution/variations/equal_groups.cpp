#include "search/evolution/variations/equal_groups.hpp"

#include <algorithm>
#include <numeric>

namespace regroup::search {
namespace {

constexpr double kFurtherSwap = 0.3;
constexpr double kNewGroupCount = 0.1;

std::span<Gene> order_of(std::span<Gene> genome) {
  return genome.subspan(1);
}
std::span<const Gene> order_of(std::span<const Gene> genome) {
  return genome.subspan(1);
}

}  // namespace

std::size_t EqualGroups::block_size(std::span<const Gene> genome) const {
  return static_cast<std::size_t>(heads_ / group_counts_[genome[0]]);
}

void EqualGroups::sample(RandomStream& random, std::span<Gene> out) const {
  out[0] = static_cast<Gene>(random.below(group_counts_.size()));
  const std::span<Gene> order = order_of(out);
  std::iota(order.begin(), order.end(), Gene{0});
  random.shuffle(order);
}

void EqualGroups::cross(std::span<const Gene> a, std::span<const Gene> b, RandomStream& random,
                        std::span<Gene> child) const {
  child[0] = random.chance(0.5) ? a[0] : b[0];
  const std::span<const Gene> first = order_of(a);
  const std::span<const Gene> second = order_of(b);
  const std::span<Gene> out = order_of(child);
  // Order crossover: a stretch of the first parent stays in place, the other heads follow in the
  // order of the second.
  const std::size_t n = first.size();
  const std::size_t from = random.below(n);
  const std::size_t length = 1 + random.below(n);
  std::vector<char> placed(n);
  for (std::size_t i = from; i < std::min(from + length, n); ++i) {
    out[i] = first[i];
    placed[first[i]] = 1;
  }
  std::size_t next = 0;
  for (const Gene head : second) {
    if (placed[head] != 0) continue;
    if (next == from) next = std::min(from + length, n);
    out[next++] = head;
  }
}

void EqualGroups::mutate(std::span<Gene> genome, RandomStream& random) const {
  if (random.chance(kNewGroupCount)) {
    genome[0] = static_cast<Gene>(random.below(group_counts_.size()));
  }
  const std::span<Gene> order = order_of(genome);
  do {
    const std::size_t a = random.below(order.size());
    const std::size_t b = random.below(order.size());
    std::swap(order[a], order[b]);
  } while (random.chance(kFurtherSwap));
}

void EqualGroups::canonicalise(std::span<Gene> genome) const {
  const std::vector<Label> by_head = labels(genome);
  const std::vector<Gene> canonical = this->genome(Partition::from_labels(by_head));
  std::copy(canonical.begin(), canonical.end(), genome.begin());
}

std::vector<Label> EqualGroups::labels(std::span<const Gene> genome) const {
  std::vector<Label> result(static_cast<std::size_t>(heads_));
  const std::size_t block = block_size(genome);
  const std::span<const Gene> order = order_of(genome);
  for (std::size_t i = 0; i < order.size(); ++i) {
    result[order[i]] = static_cast<Label>(i / block);
  }
  return result;
}

std::vector<Gene> EqualGroups::genome(const Partition& partition) const {
  const auto count = std::find(group_counts_.begin(), group_counts_.end(), partition.groups());
  std::vector<Gene> result{static_cast<Gene>(count - group_counts_.begin())};
  for (const std::vector<int>& group : partition.member_ids()) {
    for (const int head : group) result.push_back(static_cast<Gene>(head));
  }
  return result;
}

}  // namespace regroup::search
