#pragma once

#include <string>

#include "models/language_model/candidate_meter.hpp"
#include "search/groupings/grouping.hpp"

namespace regroup::fitness {

/// A model that can be measured: a grouping of the source, and how it is converted.
struct Candidate {
  search::Grouping grouping;
  models::Conversion conversion = {};

  bool is_source() const {
    return grouping.is_source() && conversion.cache == models::CacheType::kExact;
  }
};

/// What tells two merged models of one source apart, as text: the recipe and every layer's
/// partitions and allocation. Files of measurements are named by its hash.
std::string grouping_content(const search::Grouping& grouping, const models::MergeRecipe& recipe);

/// Equal for candidates that are the same model, as text: the source is, whatever the recipe.
std::string identity(const Candidate& candidate);

}  // namespace regroup::fitness
