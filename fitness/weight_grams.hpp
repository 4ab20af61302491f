#pragma once

#include <Eigen/Core>
#include <stop_token>
#include <vector>

#include "models/pretrained_model.hpp"
#include "search/progress.hpp"

namespace regroup::fitness {

/// Inner products ⟨vec W^i, vec W^j⟩ of the key and of the value projections of one layer's KV
/// heads, [H_kv, H_kv] each. They carry everything that the weight-sharing error needs (METHODS
/// §2).
struct LayerGrams {
  Eigen::MatrixXd keys;
  Eigen::MatrixXd values;
};

/// Grams of every layer, accumulated in double. Layers run in parallel; each reads its weights
/// once, a piece at a time, and gives their memory back, so that a checkpoint larger than the
/// memory can be read. O(H_kv² · d · D) a layer. Throws Interrupted on `stop`.
std::vector<LayerGrams> weight_grams(const models::PretrainedModel& model, std::stop_token stop,
                                     search::Progress& progress);

}  // namespace regroup::fitness
