#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "models/recipes/merge_recipe.hpp"
#include "models/tensors/compute.hpp"

namespace regroup::runs {

/// What a comparison of proxies with measurements is asked to do.
struct CorrelateOptions {
  std::filesystem::path model;
  std::filesystem::path data;
  std::filesystem::path selection;  ///< to measure on; empty: the last quarter of `data`
  std::filesystem::path output;
  std::string merge = "optimal";
  bool renorm = false;
  std::string refit = "none";
  int samples = 3;          ///< random groupings of each size
  bool exhaustive = false;  ///< all groupings of each size instead
  std::vector<double> kv;   ///< in (0, 1), ascending and distinct; empty: the usual ones
  std::int64_t tokens = 0;  ///< of `data`; 0: all
  std::int64_t seed = 1;
  bool force = false;
  std::string dtype = "float32";
  models::ComputeOptions compute;

  /// How the groupings that are measured are merged.
  models::MergeRecipe recipe() const;
};

/// Throws InputError for a name that is not known or a number out of range, naming the option.
void require_valid(const CorrelateOptions& options);

}  // namespace regroup::runs
