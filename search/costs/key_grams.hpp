#pragma once

#include <Eigen/Core>
#include <vector>

#include "search/groupings/partition.hpp"

namespace regroup::search {

/// Keys of a model on calibration text, known by their inner products: for every layer and window
/// of text ⟨K_i, K_j⟩, summed over the window's tokens and d, for all pairs of KV heads, [H_kv,
/// H_kv], symmetric. They carry the norms of every mean-pooled key head.
struct KeyGrams {
  int query_heads = 0;                               ///< H
  std::vector<std::vector<Eigen::MatrixXd>> layers;  ///< [layer][window], at least one window
};

/// ‖K_g‖_F of the mean over each group's heads, [window][group]: √((1/|g|²) Σ_{i,j∈g} ⟨K_i, K_j⟩)
/// (METHODS §4). O(H_kv²) a window.
std::vector<std::vector<double>> pooled_norms(const std::vector<Eigen::MatrixXd>& windows,
                                              const Partition& partition);

/// Σ over windows of the groups' norms.
std::vector<double> summed_norms(const std::vector<std::vector<double>>& windows);

}  // namespace regroup::search
