#include "runs/directory/grouping_key.hpp"

#include <fmt/format.h>

namespace regroup::runs {

std::string grouping_content(const search::Grouping& grouping, const models::MergeRecipe& recipe) {
  std::string text = recipe.name();
  for (const search::LayerGrouping& layer : grouping.layers) {
    text += fmt::format("\n{}\n{}", layer.keys.to_string(), layer.values.to_string());
    if (layer.has_allocation()) text += "\nqueries";
    for (const search::Group group : layer.query_to_group) {
      text += fmt::format(" {}", group.value());
    }
  }
  return text;
}

}  // namespace regroup::runs
