#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "models/recipes/merge_recipe.hpp"
#include "search/base/options.hpp"

namespace regroup::models {

/// A recipe as it is asked for.
struct RecipeRequest {
  const MergeOperator* merge = nullptr;  ///< null: left open
  bool renorm = false;
  std::optional<Refit> refit;  ///< nothing: left open
  int reconstruction_steps = 0;

  /// As asked for; merge and refit must be there.
  MergeRecipe recipe() const { return {*merge, renorm, *refit, reconstruction_steps}; }
};

/// What help says of parts that are left open: "optimal".
struct RecipeDefaults {
  std::string_view merge = {};
  std::string_view refit = {};
};

/// --merge, --renorm and --refit, bound to `request`.
std::vector<search::Option> merge_options(RecipeRequest& request,
                                          const RecipeDefaults& defaults = {});
/// --reconstruct, bound to `request`.
search::Option reconstruction_option(RecipeRequest& request);

}  // namespace regroup::models
