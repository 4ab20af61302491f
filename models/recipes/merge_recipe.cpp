#include "models/recipes/merge_recipe.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <cmath>
#include <string>

#include "models/merge/operators/merge_table.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

/// In the order of the enumerators.
constexpr std::array<std::string_view, 4> kRefitNames = {"none", "output", "query", "both"};

}  // namespace

std::string_view refit_name(Refit refit) {
  return kRefitNames[static_cast<std::size_t>(refit)];
}

Refit find_refit(std::string_view name) {
  for (std::size_t i = 0; i < kRefitNames.size(); ++i) {
    if (kRefitNames[i] == name) return static_cast<Refit>(i);
  }
  throw InputError({.what = "refit is not known",
                    .where = "--refit",
                    .expected = fmt::format("one of {}", fmt::join(kRefitNames, ", ")),
                    .found = std::string(name)});
}

MergeRecipe::MergeRecipe() : merge(&find_merge("mean")) {}

bool MergeRecipe::needs_calibration() const {
  return fits_layers() || merge->needs() >= MergeNeeds::kMoments || renorm;
}

std::string recipe_name(std::string_view merge, bool renorm, std::string_view refit,
                        int reconstruction_steps) {
  std::string text(merge);
  if (renorm) text += " + renorm";
  if (refit == refit_name(Refit::kBoth)) {
    text += " + both refits";
  } else if (refit != refit_name(Refit::kNone)) {
    text += fmt::format(" + {} refit", refit);
  }
  if (reconstruction_steps > 0) text += fmt::format(" + {} steps", reconstruction_steps);
  return text;
}

SharedHead shared_head(const MergeProblem& group, const MergeRecipe& recipe) {
  SharedHead shared = recipe.merge->share(group);
  if (!recipe.renorm || group.normed) return shared;  // a norm that follows restores it anyway
  const double norm = std::sqrt(squared_norm(shared, group.products));
  const double members = group.products.squared_norms(group.heads).cwiseSqrt().mean();
  if (norm > 0) shared.rescale(members / norm);
  return shared;
}

SharedHead shared_head(const MergeProblem& group, const SharedRows& rows,
                       const MergeRecipe& recipe) {
  if (rows == SharedRows::of_heads(group.layout)) return shared_head(group, recipe);
  return recipe.merge->share_wide(group, rows);
}

void require_valid(const MergeRecipe& recipe) {
  if (recipe.reconstruction_steps < 0 || recipe.reconstruction_steps > kMostReconstructionSteps) {
    throw InputError({.what = "number of reconstruction steps is out of range",
                      .where = "--reconstruct",
                      .expected = fmt::format("0 to {}", kMostReconstructionSteps),
                      .found = std::to_string(recipe.reconstruction_steps)});
  }
  if (!recipe.renorm || recipe.merge->allows_renorm()) return;
  throw InputError({.what = "this merge does not take its norm from the members",
                    .where = "--renorm",
                    .expected = "--merge mean, weighted, weighted-fisher or aligned",
                    .found = std::string(recipe.merge->name())});
}

}  // namespace regroup::models
