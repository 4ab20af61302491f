#include "fitness/measuring/candidate.hpp"

#include <fmt/format.h>

namespace regroup::fitness {

std::string grouping_content(const search::Grouping& grouping, const models::MergeRecipe& recipe) {
  std::string text = recipe.name();
  for (const search::LayerGrouping& layer : grouping.layers) {
    text += fmt::format("\n{}\n{}", layer.keys.to_string(), layer.values.to_string());
    if (layer.widths) text += "\nwidths " + layer.widths->to_string();
    if (layer.has_allocation()) text += "\nqueries";
    for (const search::Group group : layer.query_to_group) {
      text += fmt::format(" {}", group.value());
    }
  }
  return text;
}

std::string identity(const Candidate& candidate) {
  const auto& [recipe, scope, cache] = candidate.conversion;
  std::string text = "source";
  if (!candidate.grouping.is_source()) {
    text = grouping_content(candidate.grouping, recipe);
    if (scope == models::RefitScope::kGroupedLayers) text += "\nalone";
  }
  return fmt::format("{}\n{}", text, models::cache_type_name(cache));
}

}  // namespace regroup::fitness
