#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "models/language_model/merge_store.hpp"
#include "models/language_model/merger.hpp"
#include "runs/base/run_log.hpp"

namespace regroup::runs {

/// What groupings are trained on, and measured on afterwards.
struct UptrainSetting {
  std::int64_t tokens = 0;  ///< of each grouping
  models::Windows data;
  std::string data_sha256;  ///< tells data apart in what was measured before
  models::Windows measured;
  search::RandomKey key;
};

/// Trains models with merged heads, one after another, on equally many tokens with the defaults of
/// `uptrain`, and measures each beside the source.
class GroupingTraining {
 public:
  /// `merger`, `setting` and `store`, where fitted merges may be kept, must outlive it.
  GroupingTraining(const models::Merger& merger, const models::MergeStore* store,
                   const UptrainSetting& setting, const RunLog& log, std::stop_token stop);

  /// Scores after the training; `name` is what people are told. Throws as Trainer.
  std::vector<models::WindowScore> scores(const search::Grouping& grouping,
                                          const models::MergeRecipe& recipe,
                                          const std::string& name);
  /// Of the source beside itself, measured once.
  const std::vector<models::WindowScore>& source();

 private:
  const models::Merger& merger_;
  const models::MergeStore* store_;
  const UptrainSetting& setting_;
  const RunLog& log_;
  std::stop_token stop_;
  std::optional<models::SourceStates> source_;
};

}  // namespace regroup::runs
