#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fitness/price.hpp"
#include "models/recipes/recipe_options.hpp"
#include "models/tensors/compute.hpp"
#include "runs/base/cache_setting.hpp"
#include "runs/plan/compute_choice.hpp"
#include "runs/plan/plan_parts.hpp"
#include "search/base/options.hpp"
#include "search/groupings/grouping_rules.hpp"
#include "search/methods/method_table.hpp"

namespace regroup::runs {

/// What a search is asked to do: a field for each option, with what holds where nothing is said, or
/// open until `make_plan`. Movable; tables of options are bound to the object that made them.
struct SearchRequest {
  RunPlace place;
  std::vector<std::unique_ptr<search::SearchMethod>> methods = search::make_methods();
  std::optional<std::size_t> method;  ///< of `methods`
  std::optional<fitness::Price> price;
  models::RecipeRequest recipe;
  Allocation allocation = Allocation::kProxy;
  search::GroupingRules rules;
  std::vector<std::string> widths;      ///< words of --width; empty: left open
  std::vector<std::string> objectives;  ///< words of --objectives; empty: bytes and loss
  ComputeChoice compute_choice;
  std::vector<double> kv;  ///< limits in (0, 1]; empty: the whole front, thinned
  CacheSetting cache;
  DataRoles data;
  int measured_points = Measuring().points;
  /// Types of KV cache that points are measured with besides the plain one, "none": with no other;
  /// empty: left open.
  std::vector<std::string> cache_dtypes;
  std::int64_t uptrain_tokens = 0;  ///< that points are trained on before they are measured again
  std::int64_t seed = 1;
  models::ComputeOptions compute;

  /// Every option that decides the result or names its data, bound to this object: those of the
  /// request and those of all methods, each once.
  std::vector<search::Option> options();
};

}  // namespace regroup::runs
