#pragma once

#include <Eigen/Core>
#include <optional>
#include <stop_token>
#include <vector>

#include "apps/search/run_directory.hpp"
#include "apps/search/search_inputs.hpp"
#include "search/key_norm/key_grams.hpp"

namespace regroup::apps {

/// What a run knows of the source model's activations; absent what it does not need.
struct RunStatistics {
  std::optional<models::ActivationMoments> moments;
  std::optional<search::KeyGrams> key_grams;

  const models::ActivationMoments* moments_or_null() const { return moments ? &*moments : nullptr; }
  const search::KeyGrams* key_grams_or_null() const { return key_grams ? &*key_grams : nullptr; }
};

/// Runs the source model over the calibration windows: second moments, also written to the run's
/// calibration.safetensors, and the products of keys where the method needs them. Throws
/// Interrupted, WorkError.
RunStatistics calibrate(const models::TokenWindows& windows, const SearchOptions& options,
                        const SearchInputs& inputs, const RunDirectory& directory,
                        std::stop_token stop, search::Progress& progress);

/// Distances between the heads of every unit, where the method uses them. Throws Interrupted.
std::vector<Eigen::MatrixXd> method_distances(const SearchOptions& options,
                                              const SearchInputs& inputs,
                                              const models::ActivationMoments* moments,
                                              std::stop_token stop, search::Progress& progress);

}  // namespace regroup::apps
