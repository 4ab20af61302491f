#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "models/merge/merge_operator.hpp"

namespace regroup::models {

/// What is fitted anew after heads were merged, on calibration text (METHODS §7).
enum class Refit { kNone, kOutput, kQuery, kBoth };

/// Which layers are refitted.
enum class RefitScope {
  kAllFollowing,   ///< from the first grouped layer on: errors of earlier layers are made up for
  kGroupedLayers,  ///< only those that are grouped: what one layer's grouping does by itself
};

/// "none", "output", "query", "both".
std::string_view refit_name(Refit refit);
/// Throws InputError that lists the known ones.
Refit find_refit(std::string_view name);

/// How groups become shared heads: everything but the grouping and the calibration.
struct MergeRecipe {
  const MergeOperator* merge;  ///< of the table, never null
  bool renorm = false;         ///< restore the members' mean norm
  Refit refit = Refit::kNone;

  MergeRecipe();  ///< mean, the plain baseline
  MergeRecipe(const MergeOperator& op, bool with_renorm = false, Refit with_refit = Refit::kNone)
      : merge(&op), renorm(with_renorm), refit(with_refit) {}

  bool refits_queries() const { return refit == Refit::kQuery || refit == Refit::kBoth; }
  bool refits_outputs() const { return refit == Refit::kOutput || refit == Refit::kBoth; }
  /// Whether it needs moments, or text to refit on.
  bool needs_calibration() const;
  /// "optimal", "aligned + renorm", "mean + output refit": for people and for keys.
  std::string name() const;
  bool operator==(const MergeRecipe&) const = default;
};

/// The shared head of a group, its norm restored where the recipe says so; `group` is the problem
/// restricted to the members, two or more.
SharedHead shared_head(const MergeProblem& group, const MergeRecipe& recipe);

/// Throws InputError if the operator does not take the renorm.
void require_valid(const MergeRecipe& recipe);

}  // namespace regroup::models
