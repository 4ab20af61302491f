#pragma once

#include <Eigen/Core>
#include <vector>

#include "search/groupings/partition.hpp"

namespace regroup::search {

/// Distances 1 − cos of vectors that are known by their Gram matrix A [n, n]:
/// 1 − A_ij / √(A_ii A_jj), in [0, 2], symmetric, 0 on the diagonal. A vector of norm 0 has no
/// direction and counts as orthogonal to all others: distance 1.
///
/// Example: A = [[1, 1], [1, 4]] gives 1 − 1/2 between the two.
/// Throws InputError if the Gram is not square or not finite.
Eigen::MatrixXd cosine_distances(const Eigen::MatrixXd& gram);

/// The other heads of a layer in the order of their distance, for each head. Immutable; any number
/// of threads may read it.
class NearestHeads {
 public:
  /// From a symmetric matrix [n, n]; of equal distances the lower head comes first. O(n² log n).
  explicit NearestHeads(const Eigen::MatrixXd& distances);

  int heads() const { return static_cast<int>(order_.size()); }
  /// The nearest heads outside the head's group, nearest first: `most` of them, or all there are.
  std::vector<Head> outside_group(const Partition& partition, Head head, int most) const;

 private:
  std::vector<std::vector<Head>> order_;
};

}  // namespace regroup::search
