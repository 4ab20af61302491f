#include "runs/inputs/calibration_input.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "models/files/sha256.hpp"
#include "runs/inputs/sampled_text.hpp"
#include "search/base/error.hpp"

namespace regroup::runs {
namespace {

/// Labels of the gradients that a grouping's calibration is made with where only its text is given.
constexpr std::uint64_t kLabelSeed = 1;

/// Throws InputError unless the calibration holds what the recipe needs.
void require_provides(const models::Calibration& calibration, const models::MergeRecipe& recipe,
                      const std::filesystem::path& file) {
  if (recipe.merge->needs() < models::MergeNeeds::kGradients || calibration.has_gradients()) return;
  throw InputError({.what = "calibration holds no gradients, which this merge needs",
                    .where = file.string(),
                    .expected = "a file of `regroup calibrate`",
                    .found = std::string(recipe.merge->name())});
}

/// Throws InputError unless the file is there and is the one that is meant.
void require_referenced(const std::filesystem::path& file, const std::string& sha256) {
  if (!std::filesystem::is_regular_file(file)) {
    throw InputError({.what = "the calibration that the grouping was made with is not there",
                      .where = file.string(),
                      .expected = "the file that the grouping names, or --calibration FILE",
                      .found = "no file"});
  }
  if (sha256.empty()) return;
  const std::string found = models::sha256_of_file(file);
  if (found == sha256) return;
  throw InputError({.what = "calibration is not the one that the grouping was made with",
                    .where = file.string(),
                    .expected = fmt::format("SHA-256 {:.16}…, or --calibration FILE", sha256),
                    .found = fmt::format("{:.16}…", found)});
}

/// With the links on its way followed, but not the file itself where that is one.
std::filesystem::path resolved(const std::filesystem::path& file) {
  const std::filesystem::path whole = std::filesystem::absolute(file).lexically_normal();
  return std::filesystem::weakly_canonical(whole.parent_path()) / whole.filename();
}

}  // namespace

const std::string& CalibrationInput::data_sha256() const {
  return statistics ? statistics->data_sha256 : data->sha256;
}

std::string CalibrationInput::content_sha256() const {
  return statistics ? models::sha256_of_file(file) : data->sha256;
}

models::CalibrationReference reference_from(const std::filesystem::path& folder,
                                            const std::filesystem::path& file, std::string sha256) {
  const std::filesystem::path whole = resolved(file);
  const std::filesystem::path relative =
      whole.lexically_relative(std::filesystem::canonical(folder));
  return {(relative.empty() ? whole : relative).generic_string(), std::move(sha256)};
}

CalibrationInput open_calibration(const std::filesystem::path& file,
                                  const models::PretrainedModel& model, models::DocumentJoin join) {
  CalibrationInput input{file, {}, {}, {}};
  const bool is_data =
      model.config.kind == models::ModelKind::kSpeech && models::holds_sounds(file);
  if (models::is_calibration_file(file) && !is_data) {
    input.statistics =
        std::make_shared<const models::Calibration>(models::read_calibration(file, model));
    input.windows = input.statistics->windows;
  } else {
    input.data = models::read_dataset(file, model, join);
    input.windows = calibration_windows(*input.data, model.config, 0);
  }
  return input;
}

models::Calibration make_calibration(const models::LanguageModel& model,
                                     const models::Windows& windows, std::string data_sha256,
                                     std::optional<search::RandomKey> gradients,
                                     std::stop_token stop, search::Progress& progress) {
  const auto layers = static_cast<std::size_t>(model.config().layers);
  const std::size_t passes = gradients ? 2 : 1;
  progress.begin("calibrating", passes * layers * windows.tokens(), "token layers");
  models::Calibration calibration = model.calibrate(windows, {gradients}, stop, progress);
  progress.end();
  calibration.data_sha256 = std::move(data_sha256);
  return calibration;
}

std::optional<models::Calibration> reusable_calibration(
    const std::filesystem::path& file, const models::PretrainedModel& model,
    const models::Windows& windows, const std::string& data_sha256,
    const std::optional<search::RandomKey>& gradients) {
  if (!std::filesystem::is_regular_file(file)) return std::nullopt;
  try {
    models::Calibration there = models::read_calibration(file, model);
    const bool same = there.windows == windows && there.data_sha256 == data_sha256 &&
                      there.labels == models::label_name(gradients);
    if (same) return there;
  } catch (const InputError&) {
    // Of another model, or broken: made anew.
  }
  return std::nullopt;
}

std::shared_ptr<const models::Calibration> calibration_of(
    const models::GroupingFile& grouping, const std::filesystem::path& grouping_file,
    const std::filesystem::path& option, const models::LanguageModel& model, std::stop_token stop,
    search::Progress& progress) {
  const models::MergeRecipe& recipe = grouping.recipe;
  if (!recipe.needs_calibration()) return nullptr;
  if (option.empty() && !grouping.calibration) {
    throw InputError({.what = "the grouping's merge needs a calibration, and it names none",
                      .where = grouping_file.string(),
                      .expected = "\"calibration\" in the file, or --calibration FILE",
                      .found = recipe.name()});
  }
  const auto checked = [&](std::shared_ptr<const models::Calibration> calibration,
                           const std::filesystem::path& file) {
    require_provides(*calibration, recipe, file);
    return calibration;
  };
  const auto shared = [](models::Calibration calibration) {
    return std::make_shared<const models::Calibration>(std::move(calibration));
  };
  if (option.empty()) {
    const std::filesystem::path file = grouping_file.parent_path() / grouping.calibration->file;
    require_referenced(file, grouping.calibration->sha256);
    return checked(shared(models::read_calibration(file, model.pretrained())), file);
  }
  CalibrationInput input = open_calibration(option, model.pretrained());
  if (input.statistics) return checked(input.statistics, option);
  const bool gradients = recipe.merge->needs() == models::MergeNeeds::kGradients;
  const auto key = gradients ? std::optional(search::RandomKey(kLabelSeed)) : std::nullopt;
  return checked(
      shared(make_calibration(model, *input.windows, input.data_sha256(), key, stop, progress)),
      option);
}

}  // namespace regroup::runs
