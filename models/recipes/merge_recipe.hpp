#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "models/merge/merge_operator.hpp"

namespace regroup::models {

/// What is fitted anew after heads were merged, on calibration text (METHODS §7).
enum class Refit { kNone, kOutput, kQuery, kBoth };

inline constexpr int kMostReconstructionSteps = 100'000;

/// Which layers are refitted.
enum class RefitScope {
  kAllFollowing,   ///< from the first grouped layer on: errors of earlier layers are made up for
  kGroupedLayers,  ///< only those that are grouped: what one layer's grouping does by itself
};

/// "none", "output", "query", "both".
std::string_view refit_name(Refit refit);
/// Throws InputError that lists the known ones.
Refit find_refit(std::string_view name);

/// "optimal", "aligned + renorm", "mean + output refit + 60 steps": a recipe for people and for
/// keys, of its merge's and its refit's name.
std::string recipe_name(std::string_view merge, bool renorm, std::string_view refit,
                        int reconstruction_steps);

/// How groups become shared heads: everything but the grouping and the calibration.
struct MergeRecipe {
  const MergeOperator* merge;  ///< of the table, never null
  bool renorm = false;         ///< restore the members' mean norm
  Refit refit = Refit::kNone;
  int reconstruction_steps = 0;  ///< of gradients, a layer, after the refits

  MergeRecipe();  ///< mean, the plain baseline
  MergeRecipe(const MergeOperator& op, bool with_renorm = false, Refit with_refit = Refit::kNone,
              int steps = 0)
      : merge(&op), renorm(with_renorm), refit(with_refit), reconstruction_steps(steps) {}

  bool refits_queries() const { return refit == Refit::kQuery || refit == Refit::kBoth; }
  bool refits_outputs() const { return refit == Refit::kOutput || refit == Refit::kBoth; }
  /// Whether layers are fitted on text after the merge.
  bool fits_layers() const { return refit != Refit::kNone || reconstruction_steps > 0; }
  /// Whether it needs moments, or text to fit on.
  bool needs_calibration() const;
  std::string name() const {
    return recipe_name(merge->name(), renorm, refit_name(refit), reconstruction_steps);
  }
  bool operator==(const MergeRecipe&) const = default;
};

/// The shared head of a group, its norm restored where the recipe says so; `group` is the problem
/// restricted to the members, two or more.
SharedHead shared_head(const MergeProblem& group, const MergeRecipe& recipe);
/// The same with as many rows as `rows` says, which only a wide merge can have other than a head's.
SharedHead shared_head(const MergeProblem& group, const SharedRows& rows,
                       const MergeRecipe& recipe);

/// Throws InputError if the operator does not take the renorm, or for steps outside 0 …
/// kMostReconstructionSteps.
void require_valid(const MergeRecipe& recipe);

}  // namespace regroup::models
