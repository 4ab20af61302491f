#include "search/qcqa/partition_space.hpp"

#include <algorithm>

#include "search/evolution/variations/arbitrary_groups.hpp"
#include "search/evolution/variations/equal_groups.hpp"

namespace regroup::search {
namespace {

class ArbitrarySpace : public PartitionSpace {
 public:
  explicit ArbitrarySpace(const Unit& unit)
      : fewest_(unit.fewest_groups()),
        most_(unit.most_groups()),
        variation_(unit.heads(), fewest_, most_) {}

  const Variation& variation() const override { return variation_; }
  DescentMoves descent_moves() const override { return DescentMoves::kMovesAndSwaps; }
  std::vector<Label> labels(std::span<const Gene> genome) const override {
    return {genome.begin(), genome.end()};
  }
  std::optional<std::vector<Gene>> genome(const Partition& partition) const override {
    if (partition.groups() < fewest_ || partition.groups() > most_) return std::nullopt;
    return std::vector<Gene>(partition.labels().begin(), partition.labels().end());
  }

 private:
  int fewest_;
  int most_;
  ArbitraryGroups variation_;
};

/// Those of the unit's numbers of groups that divide its heads; it has one at least where a unit
/// may be left alone or merged as a whole.
std::vector<int> equal_group_counts(const Unit& unit) {
  std::vector<int> counts;
  std::ranges::copy_if(unit.group_counts, std::back_inserter(counts),
                       [&](int groups) { return unit.heads() % groups == 0; });
  return counts;
}

class EqualSpace : public PartitionSpace {
 public:
  explicit EqualSpace(const Unit& unit) : variation_(unit.heads(), equal_group_counts(unit)) {}

  const Variation& variation() const override { return variation_; }
  DescentMoves descent_moves() const override { return DescentMoves::kSwaps; }
  std::vector<Label> labels(std::span<const Gene> genome) const override {
    return variation_.labels(genome);
  }
  std::optional<std::vector<Gene>> genome(const Partition& partition) const override {
    const std::vector<int>& counts = variation_.group_counts();
    const bool is_held =
        partition.has_equal_sizes() && std::ranges::binary_search(counts, partition.groups());
    return is_held ? std::optional(variation_.genome(partition)) : std::nullopt;
  }

 private:
  EqualGroups variation_;
};

}  // namespace

std::unique_ptr<PartitionSpace> make_partition_space(const Unit& unit, GroupSizes sizes) {
  if (sizes == GroupSizes::kEqual) return std::make_unique<EqualSpace>(unit);
  return std::make_unique<ArbitrarySpace>(unit);
}

}  // namespace regroup::search
