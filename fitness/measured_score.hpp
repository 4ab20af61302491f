#pragma once

#include <optional>
#include <stop_token>
#include <vector>

#include "fitness/loss_meter.hpp"
#include "search/grouping_score.hpp"

namespace regroup::fitness {

/// Keeps measured losses, so that no grouping is measured twice.
class LossMemory {
 public:
  virtual ~LossMemory() = default;
  /// The windows' losses of a grouping merged by `recipe`, if they were kept.
  virtual std::optional<std::vector<double>> recall(const search::Grouping& grouping,
                                                    const models::MergeRecipe& recipe) const = 0;
  /// Throws WorkError.
  virtual void remember(const search::Grouping& grouping, const models::MergeRecipe& recipe,
                        const std::vector<double>& losses) const = 0;
};

/// The measured loss of a grouping as the score of a search: mean over the windows of the model
/// converted by one merge operator, nats per token. The windows are data to select on, never those
/// that are reported (METHODS §9). Holds references to meter and memory.
class MeasuredScore : public search::GroupingScore {
 public:
  MeasuredScore(const LossMeter& meter, const models::MergeRecipe& recipe, const LossMemory& memory,
                std::stop_token stop);

  /// Measures unless the memory knows the grouping, and remembers at once. One measurement spreads
  /// over the threads. Throws as LanguageModel::window_losses.
  double score(const search::Grouping& grouping) const override;

 private:
  const LossMeter& meter_;
  models::MergeRecipe recipe_;
  const LossMemory& memory_;
  std::stop_token stop_;
};

}  // namespace regroup::fitness
