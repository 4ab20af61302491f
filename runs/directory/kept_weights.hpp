#pragma once

#include <filesystem>
#include <memory>
#include <set>
#include <string>

#include "fitness/measuring/candidate.hpp"
#include "models/language_model/merge_store.hpp"
#include "models/pretrained/pretrained_model.hpp"

namespace regroup::runs {

/// The fitted weights of a run's groupings, a file each in RUN/weights: what `convert`, `eval`,
/// `generate` and `uptrain` would have to fit anew. A file is named by the hash of grouping and
/// recipe, and says of which calibration it is, and so of which model. Any number of readers, one
/// writer.
class KeptWeights : public models::MergeStore {
 public:
  /// `calibration_sha256`: of the calibration file that grouping files of the run name. `model`
  /// must outlive it. Nothing is wanted yet.
  KeptWeights(std::filesystem::path run, const models::PretrainedModel& model,
              std::string calibration_sha256);

  /// From now on the merge is kept when it is made.
  void want(const search::Grouping& grouping, const models::MergeRecipe& recipe);
  /// The same by fitness::grouping_content.
  void want(const std::string& content) { wanted_.insert(content); }
  const std::set<std::string>& wanted() const { return wanted_; }

  std::shared_ptr<const models::WeightOverlay> recall(
      const search::Grouping& grouping, const models::MergeRecipe& recipe) const override;
  void keep(const search::Grouping& grouping, const models::MergeRecipe& recipe,
            const models::WeightOverlay& layers) const override;

 private:
  std::filesystem::path file_of(const std::string& content) const;
  std::string notes(const std::string& content) const;

  std::filesystem::path run_;
  const models::PretrainedModel& model_;
  std::string calibration_sha256_;
  std::set<std::string> wanted_;  // by fitness::grouping_content
};

/// Bytes that the attention layers of a fitted model take in the checkpoint's element type.
double kept_bytes(const models::PretrainedModel& model);

/// Whether a file has a name that KeptWeights gives.
bool is_kept_weights(const std::filesystem::path& file);

inline constexpr const char* kWeightsFolder = "weights";

}  // namespace regroup::runs
