#include "runs/points/measured_selection.hpp"

#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "models/files/sha256.hpp"
#include "runs/directory/grouping_key.hpp"

namespace regroup::runs {
namespace {

/// Another key than that of the same grouping's loss on the data that are reported.
std::string selection_key(const fitness::MeasuredFitness& fitness, const search::Grouping& grouping,
                          const models::MergeRecipe& recipe) {
  return models::sha256_hex(
      fmt::format("{}\n{}", fitness.field, grouping_content(grouping, recipe)));
}

search::Grouping source_grouping(const models::ModelConfig& config) {
  return search::Grouping::uniform(config.layers, search::Partition::singletons(config.kv_heads));
}

}  // namespace

std::optional<std::vector<double>> MeasuredSelection::Memory::recall(
    const search::Grouping& grouping, const models::MergeRecipe& recipe) const {
  return directory_.recall(selection_key(fitness_, grouping, recipe), windows_);
}

void MeasuredSelection::Memory::remember(const search::Grouping& grouping,
                                         const models::MergeRecipe& recipe,
                                         const std::vector<double>& means) const {
  directory_.remember(selection_key(fitness_, grouping, recipe), means);
}

MeasuredSelection::MeasuredSelection(const fitness::MeasuredFitness& fitness,
                                     std::shared_ptr<const models::Merger> merger,
                                     const models::Windows& windows, const RunDirectory& directory,
                                     std::stop_token stop)
    : fitness_(fitness),
      source_(source_grouping(merger->source().config())),
      meter_(std::move(merger), windows),
      memory_(fitness, directory, windows.size()),
      stop_(std::move(stop)) {}

fitness::MeasuredScore MeasuredSelection::score(const models::MergeRecipe& recipe) const {
  return {meter_, fitness_.measure, recipe, memory_, stop_};
}

void MeasuredSelection::announce(std::size_t candidates, const models::MergeRecipe& recipe,
                                 const RunLog& log) const {
  std::string remark =
      fmt::format("{} candidates to measure on {} tokens", candidates, meter_.windows().tokens());
  if (!memory_.recall(source_, recipe)) {
    const auto started = std::chrono::steady_clock::now();
    score(recipe).score(source_);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - started;
    remark += fmt::format(", at most about {}",
                          duration_text(seconds.count() * static_cast<double>(candidates)));
  }
  log.log(remark);
}

}  // namespace regroup::runs
