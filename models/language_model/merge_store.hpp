#pragma once

#include <memory>

#include "models/recipes/merge_recipe.hpp"
#include "search/groupings/grouping.hpp"

namespace regroup::models {

class WeightOverlay;

/// Where fitted merges of one model and calibration are kept, so that none is fitted twice.
class MergeStore {
 public:
  virtual ~MergeStore() = default;
  /// What was kept of this merge, the same numbers; null: nothing. Throws InputError for a broken
  /// file.
  virtual std::shared_ptr<const WeightOverlay> recall(const search::Grouping& grouping,
                                                      const MergeRecipe& recipe) const = 0;
  /// Keeps a merge if the store wants it. Throws WorkError.
  virtual void keep(const search::Grouping& grouping, const MergeRecipe& recipe,
                    const WeightOverlay& layers) const = 0;
};

}  // namespace regroup::models
