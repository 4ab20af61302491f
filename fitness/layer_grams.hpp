#pragma once

#include <Eigen/Core>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "models/calibration/calibration.hpp"
#include "models/layers/projection_view.hpp"
#include "search/base/progress.hpp"

namespace regroup::fitness {

/// Inner products of the key and of the value projections of one layer's KV heads, [H_kv, H_kv]
/// each. They carry everything that the error of mean-merged heads needs (METHODS §2).
struct LayerGrams {
  Eigen::MatrixXd keys;
  Eigen::MatrixXd values;
};

/// The Gram of one projection [H_kv·d, D] of one layer.
using GramRule =
    std::function<Eigen::MatrixXd(const models::ProjectionView& projection, int layer)>;

/// Grams of every layer by one rule. Layers run in parallel; each reads its weights once and gives
/// their memory back. Throws Interrupted on `stop`.
std::vector<LayerGrams> layer_grams(const models::PretrainedModel& model, const std::string& stage,
                                    const GramRule& rule, std::stop_token stop,
                                    search::Progress& progress);

/// ⟨vec W^i, vec W^j⟩ in double, converted a piece at a time, so that a checkpoint larger than the
/// memory can be read. O(H_kv² · d · D) a layer.
std::vector<LayerGrams> weight_grams(const models::PretrainedModel& model, std::stop_token stop,
                                     search::Progress& progress);

/// tr(W^i C W^jᵀ) with C the second moment of the layer's input: inner products of what the heads
/// make of the data (METHODS §3). O(H_kv · d · D²) a layer, and D² doubles for each thread.
std::vector<LayerGrams> activation_grams(const models::PretrainedModel& model,
                                         const models::Calibration& calibration,
                                         std::stop_token stop, search::Progress& progress);

}  // namespace regroup::fitness
