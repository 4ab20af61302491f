#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "fitness/price.hpp"
#include "models/architecture/model_config.hpp"
#include "models/recipes/merge_recipe.hpp"
#include "models/tensors/compute.hpp"
#include "runs/base/cache_setting.hpp"
#include "runs/plan/plan_parts.hpp"
#include "runs/plan/search_request.hpp"
#include "runs/plan/width_choice.hpp"
#include "search/groupings/grouping_rules.hpp"
#include "search/method/method.hpp"

namespace regroup::runs {

/// A search, complete and checked: what is minimised, how, on which data and within which limits.
/// Made once, of what was asked for; whatever works below reads this, or the part that it needs.
struct SearchPlan {
  RunPlace place;
  std::shared_ptr<const search::SearchMethod> method;  ///< with its options; never null
  fitness::Price price;
  models::MergeRecipe recipe;
  Allocation allocation = Allocation::kProxy;
  search::GroupingRules rules;  ///< less width and limit of the KV size, which need the model
  WidthChoice widths;
  ComputeChoice compute_choice;
  std::vector<double> kv;  ///< limits in (0, 1], ascending and distinct; empty: the whole front
  CacheSetting cache;
  DataRoles data;
  Measuring measuring;
  std::uint64_t seed = 1;
  models::ComputeOptions compute;
  /// The options that decide the result, less file names: what run.json records and a resumed run
  /// compares.
  nlohmann::ordered_json options;

  bool allocates_by_measuring() const { return allocation == Allocation::kMeasured; }
  /// Whether anything is chosen by measuring on the selection data.
  bool selects_by_measuring() const { return price.is_measured() || allocates_by_measuring(); }
  /// Whether statistics of activations are wanted: something needs them, or data for them is given.
  bool uses_calibration() const;
  /// Whether those statistics must hold gradients.
  bool uses_gradients() const;
};

/// Makes the plan of a search of a model with that config. What was left open becomes the best
/// known combination for the model, as far as it goes with what was asked for: a merge given by
/// hand is not refitted unless asked, nor is a measured search; methods that allocate query heads
/// merge by the mean. Throws InputError, naming the option, for a number out of range and for
/// options that contradict each other.
SearchPlan make_plan(SearchRequest request, const models::ModelConfig& config);

}  // namespace regroup::runs
