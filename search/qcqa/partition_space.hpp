#pragma once

#include <memory>
#include <optional>

#include "search/costs/descent.hpp"
#include "search/evolution/variation.hpp"
#include "search/problem/problem.hpp"
#include "search/problem/unit_front.hpp"

namespace regroup::search {

/// A kind of stage-1 candidate: how it varies, and the partition that a genome stands for.
/// Immutable.
class PartitionSpace {
 public:
  virtual ~PartitionSpace() = default;
  virtual const Variation& variation() const = 0;
  virtual DescentMoves descent_moves() const = 0;
  /// Group label of every head of a canonical genome.
  virtual std::vector<Label> labels(std::span<const Gene> genome) const = 0;
  /// The genome of a partition; none if the space does not hold it.
  virtual std::optional<std::vector<Gene>> genome(const Partition& partition) const = 0;
};

/// The partitions that a unit may take, of any sizes or of equal ones.
std::unique_ptr<PartitionSpace> make_partition_space(const Unit& unit, GroupSizes sizes);

}  // namespace regroup::search
