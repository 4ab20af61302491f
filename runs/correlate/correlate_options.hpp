#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "models/merge/operators/merge_table.hpp"
#include "models/recipes/recipe_options.hpp"
#include "models/tensors/compute.hpp"
#include "models/text/document_join.hpp"

namespace regroup::runs {

/// What a comparison of proxies with measurements is asked to do.
struct CorrelateOptions {
  std::filesystem::path model;
  std::filesystem::path data;
  std::filesystem::path selection;  ///< to measure on; empty: the last quarter of `data`
  std::filesystem::path output;
  models::RecipeRequest recipe = {.merge = &models::find_merge("optimal"),
                                  .refit = models::Refit::kNone};
  int samples = 3;                  ///< random groupings of each size
  bool exhaustive = false;          ///< all groupings of each size instead
  std::vector<double> kv;           ///< in (0, 1), ascending and distinct; empty: the usual ones
  std::int64_t tokens = 0;          ///< of `data`; 0: all
  std::int64_t uptrain_tokens = 0;  ///< to train each grouping of the whole model on, too; 0: none
  models::DocumentJoin join = models::DocumentJoin::kEnd;  ///< of the documents of a file
  std::int64_t seed = 1;
  bool force = false;
  std::string scratch;  ///< directory; empty: where it is needed, by the output
  models::ComputeOptions compute;

  /// The options that say which groupings are compared, bound to this object.
  std::vector<search::Option> options();
};

/// Throws InputError for a number out of range, naming the option.
void require_valid(CorrelateOptions options);

}  // namespace regroup::runs
