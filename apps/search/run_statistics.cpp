#include "apps/search/run_statistics.hpp"

#include <algorithm>

#include "apps/search/choices.hpp"
#include "apps/search/run_record.hpp"
#include "fitness/head_distances.hpp"
#include "fitness/layer_grams.hpp"
#include "models/files/sha256.hpp"
#include "search/error.hpp"
#include "search/method.hpp"

namespace regroup::apps {
namespace {

constexpr const char* kFile = "calibration.safetensors";

/// What an earlier, broken off run of the same kind left; null if it is not of the same text.
std::shared_ptr<const models::Calibration> left_behind(const std::filesystem::path& file,
                                                       const models::TokenWindows& windows,
                                                       bool gradients, const SearchInputs& inputs) {
  if (!std::filesystem::is_regular_file(file)) return nullptr;
  try {
    models::Calibration there = models::read_calibration(file, *inputs.model);
    const bool same_text = std::ranges::equal(there.windows.ids(), windows.ids()) &&
                           there.windows.context() == windows.context();
    if (!same_text || there.has_gradients() != gradients) return nullptr;
    return std::make_shared<const models::Calibration>(std::move(there));
  } catch (const InputError&) {
    return nullptr;  // of another model: made anew
  }
}

std::shared_ptr<const models::Calibration> moments(const models::TokenWindows& windows,
                                                   const SearchOptions& options,
                                                   const SearchInputs& inputs,
                                                   const std::filesystem::path& file,
                                                   search::RandomKey key, std::stop_token stop,
                                                   search::Progress& progress) {
  if (inputs.calibration && inputs.calibration->statistics) {
    return std::make_shared<const models::Calibration>(*inputs.calibration->statistics);
  }
  const bool gradients = uses_gradients(options);
  if (options.resume) {
    if (auto there = left_behind(file, windows, gradients, inputs)) return there;
  }
  const std::string sha256 = inputs.calibration ? inputs.calibration->data_sha256()
                                                : models::sha256_hex(std::as_bytes(windows.ids()));
  return std::make_shared<const models::Calibration>(
      make_calibration(*inputs.language_model, windows, sha256,
                       gradients ? std::optional(key) : std::nullopt, stop, progress));
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
                        search::RandomKey key, std::stop_token stop, search::Progress& progress) {
  const std::filesystem::path file = directory.path() / kFile;
  RunStatistics statistics;
  statistics.calibration = moments(windows, options, inputs, file, key, stop, progress);
  models::write_calibration(file, *statistics.calibration, *inputs.model,
                            directory.path() / "state");
  statistics.file = {std::string("../") + kFile, models::sha256_of_file(file)};
  statistics.key_grams = key_grams(windows, options, inputs, stop, progress);
  return statistics;
}

std::vector<Eigen::MatrixXd> method_distances(const SearchOptions& options,
                                              const SearchInputs& inputs,
                                              const models::Calibration* calibration,
                                              std::stop_token stop, search::Progress& progress) {
  if (!search::find_method(options.method).uses_head_distances()) return {};
  const bool by_weight = find_distance(options.distance) == HeadDistance::kWeight;
  return fitness::head_distances(
      by_weight ? fitness::weight_grams(*inputs.model, stop, progress)
                : fitness::activation_grams(*inputs.model, *calibration, stop, progress),
      inputs.rules.sharing);
}

}  // namespace regroup::apps
