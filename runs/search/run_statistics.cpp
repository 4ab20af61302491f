#include "runs/search/run_statistics.hpp"

#include "fitness/head_distances.hpp"
#include "fitness/layer_grams.hpp"
#include "models/files/sha256.hpp"
#include "runs/plan/choices.hpp"
#include "runs/search/run_record.hpp"
#include "search/method/method.hpp"
#include "search/methods/method_table.hpp"

namespace regroup::runs {
namespace {

constexpr const char* kFile = "calibration.safetensors";

std::shared_ptr<const models::Calibration> moments(const models::Windows& windows,
                                                   const SearchOptions& options,
                                                   const SearchInputs& inputs,
                                                   const std::filesystem::path& file,
                                                   search::RandomKey key, std::stop_token stop,
                                                   search::Progress& progress) {
  if (inputs.calibration && inputs.calibration->statistics) {
    return std::make_shared<const models::Calibration>(*inputs.calibration->statistics);
  }
  const auto labels = uses_gradients(options) ? std::optional(key) : std::nullopt;
  const std::string sha256 = inputs.calibration ? inputs.calibration->data_sha256()
                                                : models::sha256_hex(std::as_bytes(windows.ids()));
  if (options.resume) {
    auto there = reusable_calibration(file, *inputs.model, windows, sha256, labels);
    if (there) return std::make_shared<const models::Calibration>(std::move(*there));
  }
  return std::make_shared<const models::Calibration>(
      make_calibration(*inputs.language_model, windows, sha256, labels, stop, progress));
}

/// Products of keys, where the method needs them.
std::optional<search::KeyGrams> key_grams(const models::Windows& windows,
                                          const SearchOptions& options, const SearchInputs& inputs,
                                          std::stop_token stop, search::Progress& progress) {
  if (!search::find_method(options.method).allocates_queries()) return std::nullopt;
  progress.begin("calibrating key norms", windows.tokens(), "tokens");
  search::KeyGrams grams = inputs.language_model->key_grams(windows, stop, progress);
  progress.end();
  return grams;
}

}  // namespace

RunStatistics calibrate(const models::Windows& windows, const SearchOptions& options,
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

}  // namespace regroup::runs
