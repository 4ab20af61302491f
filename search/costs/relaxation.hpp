#pragma once

#include <Eigen/Core>
#include <memory>
#include <utility>
#include <vector>

#include "search/groupings/index.hpp"

namespace regroup::search {

/// Part of the partitions of a layer: those that keep every block whole and the pairs apart.
struct PartitionSubset {
  std::vector<std::vector<Head>> blocks;        ///< of all heads, disjoint
  std::vector<std::pair<Head, Head>> apart;     ///< heads of different blocks
  std::shared_ptr<const Eigen::MatrixXd> dual;  ///< [n, n], what a larger subset left; may be null

  /// All partitions of `heads` heads.
  static PartitionSubset all(int heads);
};

/// What a relaxation says of a subset.
struct RelaxedSubset {
  double bound = 0;  ///< no partition of the subset costs less
  /// Two blocks to decide on next, those that the relaxation finds hardest; equal where it sees
  /// nothing to decide.
  std::pair<std::size_t, std::size_t> undecided{0, 0};
  std::shared_ptr<const Eigen::MatrixXd> dual;  ///< for the parts of the subset
};

/// Lower bounds on what the partitions of a layer into a given number of groups cost. Immutable and
/// thread-safe.
class Relaxation {
 public:
  virtual ~Relaxation() = default;
  /// A bound for the partitions of `subset` into exactly `groups` groups. It stops improving the
  /// bound once that exceeds `cutoff`; `effort` steps at most.
  virtual RelaxedSubset relax(const PartitionSubset& subset, int groups, double cutoff,
                              int effort) const = 0;
};

}  // namespace regroup::search
