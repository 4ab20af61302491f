#include "runs/search/run_statistics.hpp"

#include "fitness/head_distances.hpp"
#include "fitness/layer_grams.hpp"
#include "models/files/sha256.hpp"
#include "runs/search/run_record.hpp"
#include "search/method/method.hpp"

namespace regroup::runs {
namespace {

constexpr const char* kFile = "calibration.safetensors";

/// The calibration and the file that holds it.
struct Moments {
  std::shared_ptr<const models::Calibration> calibration;
  std::filesystem::path file;
  std::string sha256;
};

/// In the run's own file, taken from there or measured.
Moments own_moments(const models::Windows& windows, const SearchPlan& plan,
                    const SearchInputs& inputs, const RunDirectory& directory,
                    search::RandomKey key, std::stop_token stop, search::Progress& progress) {
  const std::filesystem::path file = directory.path() / kFile;
  const auto labels = plan.uses_gradients() ? std::optional(key) : std::nullopt;
  const std::string data = inputs.calibration ? inputs.calibration->data_sha256()
                                              : models::sha256_hex(std::as_bytes(windows.ids()));
  if (plan.place.resume) {
    if (auto there = reusable_calibration(file, *inputs.model, windows, data, labels)) {
      return {std::make_shared<const models::Calibration>(std::move(*there)), file,
              models::sha256_of_file(file)};
    }
  }
  auto made = std::make_shared<const models::Calibration>(
      make_calibration(*inputs.language_model, windows, data, labels, stop, progress));
  std::string sha256 =
      models::write_calibration(file, *made, *inputs.model, directory.path() / "state");
  return {std::move(made), file, std::move(sha256)};
}

/// Products of keys, where the method needs them.
std::optional<search::KeyGrams> key_grams(const models::Windows& windows, const SearchPlan& plan,
                                          const SearchInputs& inputs, std::stop_token stop,
                                          search::Progress& progress) {
  if (!plan.method->allocates_queries()) return std::nullopt;
  progress.begin("calibrating key norms", windows.tokens(), "tokens");
  search::KeyGrams grams = inputs.language_model->key_grams(windows, stop, progress);
  progress.end();
  return grams;
}

}  // namespace

RunStatistics calibrate(const models::Windows& windows, const SearchPlan& plan,
                        const SearchInputs& inputs, const RunDirectory& directory,
                        search::RandomKey key, std::stop_token stop, search::Progress& progress) {
  const bool is_given = inputs.calibration && inputs.calibration->statistics;
  Moments moments = is_given ? Moments{inputs.calibration->statistics, inputs.calibration->file,
                                       inputs.calibration_sha256}
                             : own_moments(windows, plan, inputs, directory, key, stop, progress);
  RunStatistics statistics;
  statistics.named_by_groupings =
      reference_from(directory.path() / "groupings", moments.file, moments.sha256);
  statistics.named_by_run = reference_from(directory.path(), moments.file, moments.sha256);
  statistics.calibration = std::move(moments.calibration);
  statistics.key_grams = key_grams(windows, plan, inputs, stop, progress);
  return statistics;
}

std::vector<Eigen::MatrixXd> method_distances(const SearchPlan& plan, const SearchInputs& inputs,
                                              const models::Calibration* calibration,
                                              std::stop_token stop, search::Progress& progress) {
  const auto distance = plan.method->head_distances();
  if (!distance) return {};
  const bool by_weight = distance == search::HeadDistance::kWeight;
  return fitness::head_distances(
      by_weight ? fitness::weight_grams(*inputs.model, stop, progress)
                : fitness::activation_grams(*inputs.model, *calibration, stop, progress),
      inputs.rules.sharing);
}

}  // namespace regroup::runs
