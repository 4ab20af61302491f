#pragma once

#include "search/variation.hpp"

namespace regroup::search {

/// QCQA-AC candidates (arXiv 2406.10247): one gene per head, its group label, with at most
/// `group_limit` groups of any size.
///
/// The paper's SBX and polynomial mutation treat labels as numbers, which they are not; here a
/// child takes whole groups of its second parent into its first (grouping crossover, Falkenauer
/// 1996), and a mutation moves a head, swaps two, merges two groups or splits one. Equal partitions
/// have equal canonical genomes, so relabelling changes nothing.
class ArbitraryGroups : public Variation {
 public:
  /// 1 ≤ group_limit ≤ heads ≤ Partition::kMaxHeads.
  ArbitraryGroups(int heads, int group_limit) : heads_(heads), group_limit_(group_limit) {}

  std::size_t genes() const override { return static_cast<std::size_t>(heads_); }
  void sample(RandomStream& random, std::span<Gene> out) const override;
  void cross(std::span<const Gene> a, std::span<const Gene> b, RandomStream& random,
             std::span<Gene> child) const override;
  void mutate(std::span<Gene> genome, RandomStream& random) const override;
  void canonicalise(std::span<Gene> genome) const override;

 private:
  void mutate_once(std::span<Gene> genome, RandomStream& random) const;
  void enforce_limit(std::span<Gene> genome, RandomStream& random) const;

  int heads_;
  int group_limit_;
};

}  // namespace regroup::search
