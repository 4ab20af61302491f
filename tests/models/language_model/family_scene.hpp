#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string_view>

#include "models/language_model/language_model.hpp"
#include "models/merge/operators/merge_table.hpp"
#include "models/recipes/mergeable.hpp"
#include "models/tensors/compute.hpp"
#include "search/groupings/grouping.hpp"
#include "tests/fixtures/random_checkpoint.hpp"
#include "tests/fixtures/tiny_family.hpp"
#include "tests/support/temporary_directory.hpp"

namespace regroup::tests {

/// A tiny random model of one family.
struct Family {
  explicit Family(std::string_view architecture, models::DType stored = models::DType::kF32)
      : config(tiny_config(architecture)), values(random_values(config, 5)), dtype(stored) {}

  models::LanguageModel open(const models::ComputeOptions& options = {}) const {
    write_checkpoint(scratch.path() / "model", config, values, dtype);
    return models::LanguageModel(std::make_shared<const models::PretrainedModel>(
                                     models::open_model(scratch.path() / "model")),
                                 options);
  }

  nlohmann::json config;
  TensorValues values;
  models::DType dtype;
  TemporaryDirectory scratch;
};

inline models::Calibration calibrate(const models::LanguageModel& model,
                                     const models::Windows& windows, bool gradients = true) {
  search::SilentProgress silent;
  models::CalibrationOptions options;
  if (gradients) options.gradient_key = search::RandomKey(9);
  return model.calibrate(windows, options, {}, silent);
}

/// Mean KL from the source over the windows.
inline double divergence(const models::LanguageModel& source, const models::LanguageModel& model,
                         const models::Windows& windows) {
  search::SilentProgress silent;
  const auto scores = model.compare(source.source_states(windows, {}, silent), {}, silent);
  double sum = 0;
  for (const models::WindowScore& score : scores) sum += score.divergence;
  return sum / static_cast<double>(scores.size());
}

inline search::Grouping uniform(const models::LanguageModel& model,
                                const search::Partition& partition) {
  return search::Grouping::uniform(model.config().layers, partition);
}

inline const models::MergeOperator& best_merge(const models::LanguageModel& model) {
  return models::find_merge(models::can_fold(model.config()) ? "optimal" : "mean");
}

inline search::Partition pairs_of(const models::LanguageModel& model) {
  return model.config().kv_heads == 4 ? search::Partition::parse("0 3 | 1 2")
                                      : search::Partition::parse("0 1");
}

}  // namespace regroup::tests
