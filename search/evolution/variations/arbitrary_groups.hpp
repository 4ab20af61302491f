#pragma once

#include "search/evolution/variation.hpp"

namespace regroup::search {

/// QCQA-AC candidates (arXiv 2406.10247): one gene per head, its group label, with from
/// `fewest` to `most` groups of any size.
///
/// The paper's SBX and polynomial mutation treat labels as numbers, which they are not; here a
/// child takes whole groups of its second parent into its first (grouping crossover, Falkenauer
/// 1996), and a mutation moves a head, swaps two, merges two groups or splits one. Equal partitions
/// have equal canonical genomes, so relabelling changes nothing. Where a change leaves too many or
/// too few groups, random ones are merged, or random heads leave groups of several.
class ArbitraryGroups : public Variation {
 public:
  /// 1 ≤ fewest ≤ most ≤ heads ≤ Partition::kMaxHeads.
  ArbitraryGroups(int heads, int fewest, int most) : heads_(heads), fewest_(fewest), most_(most) {}

  std::size_t genes() const override { return static_cast<std::size_t>(heads_); }
  void sample(RandomStream& random, std::span<Gene> out) const override;
  void cross(std::span<const Gene> a, std::span<const Gene> b, RandomStream& random,
             std::span<Gene> child) const override;
  void mutate(std::span<Gene> genome, RandomStream& random) const override;
  void canonicalise(std::span<Gene> genome) const override;

 private:
  void mutate_once(std::span<Gene> genome, RandomStream& random) const;
  void enforce_limits(std::span<Gene> genome, RandomStream& random) const;

  int heads_;
  int fewest_;
  int most_;
};

}  // namespace regroup::search
