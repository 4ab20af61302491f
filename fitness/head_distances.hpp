#pragma once

#include <Eigen/Core>
#include <vector>

#include "fitness/layer_grams.hpp"
#include "search/problem/problem.hpp"

namespace regroup::fitness {

/// Cosine distances between the heads of every unit of a problem, [H_kv, H_kv] each, in the order
/// of its units: a layer's keys and its values by their own Grams or, where both share a partition,
/// by the sum of the two (METHODS §3). Grams of weights compare vec W^h, those of activations what
/// the heads make of the data. A head of norm 0 is at distance 1 from all others
/// (`search::cosine_distances`). One entry of `grams` per layer.
std::vector<Eigen::MatrixXd> head_distances(const std::vector<LayerGrams>& grams,
                                            search::PartitionSharing sharing);

}  // namespace regroup::fitness
