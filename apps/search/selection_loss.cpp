#include "apps/search/selection_loss.hpp"

#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "apps/search/grouping_key.hpp"
#include "models/files/sha256.hpp"

namespace regroup::apps {
namespace {

/// Another key than that of the same grouping's loss on the data that are reported.
std::string selection_key(const search::Grouping& grouping, const models::MergeRecipe& recipe) {
  return models::sha256_hex("selection\n" + grouping_content(grouping, recipe));
}

search::Grouping source_grouping(const models::ModelConfig& config) {
  return search::Grouping::uniform(config.layers, search::Partition::singletons(config.kv_heads));
}

}  // namespace

std::optional<std::vector<double>> SelectionLoss::Memory::recall(
    const search::Grouping& grouping, const models::MergeRecipe& recipe) const {
  return directory_.recall(selection_key(grouping, recipe), windows_);
}

void SelectionLoss::Memory::remember(const search::Grouping& grouping,
                                     const models::MergeRecipe& recipe,
                                     const std::vector<double>& losses) const {
  directory_.remember(selection_key(grouping, recipe), losses);
}

SelectionLoss::SelectionLoss(std::shared_ptr<const models::Converter> converter,
                             const models::TokenWindows& windows, const RunDirectory& directory,
                             std::stop_token stop)
    : source_(source_grouping(converter->source().config())),
      meter_(std::move(converter), windows),
      memory_(directory, windows.size()),
      stop_(std::move(stop)) {}

fitness::MeasuredScore SelectionLoss::score(const models::MergeRecipe& recipe) const {
  return {meter_, recipe, memory_, stop_};
}

void SelectionLoss::announce(std::size_t candidates, const models::MergeRecipe& recipe,
                             const Console& console) const {
  std::string remark =
      fmt::format("{} candidates to measure on {} tokens", candidates, meter_.windows().tokens());
  if (!memory_.recall(source_, recipe)) {
    const auto started = std::chrono::steady_clock::now();
    score(recipe).score(source_);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - started;
    remark += fmt::format(", at most about {}",
                          duration_text(seconds.count() * static_cast<double>(candidates)));
  }
  console.log(remark);
}

}  // namespace regroup::apps
