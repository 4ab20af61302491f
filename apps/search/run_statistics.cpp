#include "apps/search/run_statistics.hpp"

#include "apps/search/choices.hpp"
#include "apps/search/run_record.hpp"
#include "fitness/head_distances.hpp"
#include "fitness/layer_grams.hpp"
#include "search/method.hpp"

namespace regroup::apps {
namespace {

/// Second moments of the activations, also written to the run's calibration.safetensors.
models::ActivationMoments activation_moments(const models::TokenWindows& windows,
                                             const SearchInputs& inputs,
                                             const RunDirectory& directory, std::stop_token stop,
                                             search::Progress& progress) {
  progress.begin("calibrating", windows.tokens(), "tokens");
  models::ActivationMoments moments =
      inputs.language_model->activation_moments(windows, stop, progress);
  progress.end();
  models::write_calibration(directory.path() / "calibration.safetensors", moments,
                            {inputs.model->checkpoint.weights_sha256(),
                             text_sha256(inputs.calibration, windows), windows.context()},
                            directory.path() / "state");
  return moments;
}

/// Products of keys, where the method needs them.
std::optional<search::KeyGrams> key_grams(const models::TokenWindows& windows,
                                          const SearchOptions& options, const SearchInputs& inputs,
                                          std::stop_token stop, search::Progress& progress) {
  if (!search::find_method(options.method).allocates_queries()) return std::nullopt;
  progress.begin("calibrating key norms", windows.tokens(), "tokens");
  search::KeyGrams grams = inputs.language_model->key_grams(windows, stop, progress);
  progress.end();
  return grams;
}

}  // namespace

RunStatistics calibrate(const models::TokenWindows& windows, const SearchOptions& options,
                        const SearchInputs& inputs, const RunDirectory& directory,
                        std::stop_token stop, search::Progress& progress) {
  return {activation_moments(windows, inputs, directory, stop, progress),
          key_grams(windows, options, inputs, stop, progress)};
}

std::vector<Eigen::MatrixXd> method_distances(const SearchOptions& options,
                                              const SearchInputs& inputs,
                                              const models::ActivationMoments* moments,
                                              std::stop_token stop, search::Progress& progress) {
  if (!search::find_method(options.method).uses_head_distances()) return {};
  const bool by_weight = find_distance(options.distance) == HeadDistance::kWeight;
  return fitness::head_distances(
      by_weight ? fitness::weight_grams(*inputs.model, stop, progress)
                : fitness::activation_grams(*inputs.model, *moments, stop, progress),
      inputs.rules.sharing);
}

}  // namespace regroup::apps
