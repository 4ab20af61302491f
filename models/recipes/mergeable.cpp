#include "models/recipes/mergeable.hpp"

#include <fmt/format.h>

#include "models/recipes/valid_widths.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

void require_allocation(const search::LayerGrouping& layer, const ModelConfig& config) {
  if (!layer.has_allocation()) return;
  const std::vector<search::Group>& groups = layer.query_to_group;
  if (groups.size() != static_cast<std::size_t>(config.query_heads)) {
    throw InputError({.what = "allocation is not one group for each query head",
                      .expected = fmt::format("{} entries", config.query_heads),
                      .found = fmt::format("{} entries", groups.size())});
  }
  for (const search::Group group : groups) {
    if (group.value() >= 0 && group.value() < layer.keys.groups()) continue;
    throw InputError({.what = "allocation names a group that is not there",
                      .expected = fmt::format("0 to {}", layer.keys.groups() - 1),
                      .found = std::to_string(group.value())});
  }
  if (layer.shares_partition()) return;
  throw InputError(
      {.what = "allocation of query heads to groups of keys and values that differ",
       .expected = "value_groups equal to key_groups",
       .found = fmt::format("{} and {}", layer.keys.to_string(), layer.values.to_string())});
}

}  // namespace

void require_same_heads(const search::Grouping& grouping, const ModelConfig& config) {
  const auto fail = [](std::string what, int expected, std::size_t found) {
    throw InputError({.what = std::move(what),
                      .expected = std::to_string(expected),
                      .found = std::to_string(found)});
  };
  if (grouping.layers.size() != static_cast<std::size_t>(config.layers)) {
    fail("grouping has another number of layers than the model", config.layers,
         grouping.layers.size());
  }
  for (const search::LayerGrouping& layer : grouping.layers) {
    for (const search::Partition* partition : {&layer.keys, &layer.values}) {
      if (partition->heads() == config.kv_heads) continue;
      fail("grouping has another number of KV heads than the model", config.kv_heads,
           static_cast<std::size_t>(partition->heads()));
    }
    require_allocation(layer, config);
  }
}

bool can_fold(const ModelConfig& config) {
  return config.query_key_norm != QueryKeyNorm::kWhole && !config.projection_clip;
}

bool can_refit_queries(const ModelConfig& config) {
  return config.query_key_norm == QueryKeyNorm::kNone && !config.projection_clip;
}

void require_mergeable(const search::Grouping& grouping, const MergeRecipe& recipe,
                       const ModelConfig& config) {
  require_valid_widths(grouping, *recipe.merge, config);
  if (!recipe.merge->folds()) return;
  if (!can_fold(config)) {
    throw InputError(
        {.what = config.projection_clip
                     ? "this merge folds factors that clipped projections do not pass"
                     : "this merge folds factors that a norm of all heads does not pass",
         .where = config.architecture,
         .expected = "--merge mean, first, medoid or weighted",
         .found = std::string(recipe.merge->name())});
  }
  for (const search::LayerGrouping& layer : grouping.layers) {
    if (!layer.has_allocation()) continue;
    throw InputError({.what = "this merge folds into each head what only its own group can use",
                      .expected = "--merge mean, first, medoid or weighted for a grouping that "
                                  "allocates query heads",
                      .found = std::string(recipe.merge->name())});
  }
}

void require_refit_passes(const MergeRecipe& recipe, const ModelConfig& config) {
  if (can_refit_queries(config) || !recipe.refits_queries()) return;
  throw InputError({.what = "queries that a norm or a clip follows cannot be refitted",
                    .where = config.architecture,
                    .expected = "--refit none or output",
                    .found = std::string(refit_name(recipe.refit))});
}

}  // namespace regroup::models
