#pragma once

#include <string>

#include "models/recipes/merge_recipe.hpp"
#include "search/groupings/grouping.hpp"

namespace regroup::runs {

/// What tells two models converted from one source apart, as text: the recipe and every
/// layer's partitions and allocation. State files are named by its hash.
std::string grouping_content(const search::Grouping& grouping, const models::MergeRecipe& recipe);

}  // namespace regroup::runs
