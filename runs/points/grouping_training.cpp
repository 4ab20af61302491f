#include "runs/points/grouping_training.hpp"

#include <fmt/format.h>

#include <utility>

#include "models/language_model/trainer.hpp"

namespace regroup::runs {

GroupingTraining::GroupingTraining(const models::Merger& merger, const models::MergeStore* store,
                                   const UptrainSetting& setting, const RunLog& log,
                                   std::stop_token stop)
    : merger_(merger), store_(store), setting_(setting), log_(log), stop_(std::move(stop)) {}

std::vector<models::WindowScore> GroupingTraining::scores(const search::Grouping& grouping,
                                                          const models::MergeRecipe& recipe,
                                                          const std::string& name) {
  source();
  models::TrainingOptions options;
  options.tokens = setting_.tokens;
  const models::LanguageModel start =
      merger_.source().with_overlay(*merger_.merge_once(grouping, recipe, store_, stop_));
  models::Trainer trainer(start, merger_.source(), merger_.source(), grouping, options,
                          setting_.data, setting_.key);
  search::Progress& progress = log_.progress();
  progress.begin(fmt::format("training {}", name), static_cast<std::size_t>(trainer.steps()),
                 "steps");
  while (trainer.done() < trainer.steps()) {
    trainer.step(stop_);
    progress.advance(1);
  }
  progress.end();
  search::SilentProgress silent;
  return trainer.model().compare(*source_, stop_, silent);
}

const std::vector<models::WindowScore>& GroupingTraining::source() {
  if (!source_) {
    search::SilentProgress silent;
    source_ = merger_.source().source_states(setting_.measured, stop_, silent);
  }
  return source_->scores();
}

}  // namespace regroup::runs
