#pragma once

#include <utility>
#include <vector>

#include "search/evolution/variation.hpp"
#include "search/groupings/partition.hpp"

namespace regroup::search {

/// QCQA-EC candidates (arXiv 2406.10247): groups of equal size. The first gene chooses the number
/// of groups among those allowed, the others are the heads in an order that is cut into equal
/// blocks. Order crossover; swaps mutate.
class EqualGroups : public Variation {
 public:
  /// `group_counts`: divisors of the number of heads, ascending, at least one; heads ≤
  /// Partition::kMaxHeads.
  EqualGroups(int heads, std::vector<int> group_counts)
      : heads_(heads), group_counts_(std::move(group_counts)) {}

  std::size_t genes() const override { return 1 + static_cast<std::size_t>(heads_); }
  void sample(RandomStream& random, std::span<Gene> out) const override;
  void cross(std::span<const Gene> a, std::span<const Gene> b, RandomStream& random,
             std::span<Gene> child) const override;
  void mutate(std::span<Gene> genome, RandomStream& random) const override;
  /// Heads ascend within a block, blocks by first head.
  void canonicalise(std::span<Gene> genome) const override;

  /// Numbers of groups that can be chosen, ascending.
  const std::vector<int>& group_counts() const { return group_counts_; }
  /// Group label of every head, canonical for a canonical genome.
  std::vector<Label> labels(std::span<const Gene> genome) const;
  /// The genome of a partition with equal sizes.
  std::vector<Gene> genome(const Partition& partition) const;

 private:
  std::size_t block_size(std::span<const Gene> genome) const;

  int heads_;
  std::vector<int> group_counts_;
};

}  // namespace regroup::search
