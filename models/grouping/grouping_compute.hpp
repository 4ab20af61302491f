#pragma once

#include "models/architecture/model_config.hpp"
#include "search/groupings/compute_model.hpp"
#include "search/groupings/grouping.hpp"

namespace regroup::models {

/// What groupings of one model compute for a decoded token, relative to it (METHODS §2.5). A value.
class GroupingCompute {
 public:
  /// With so many cached tokens.
  GroupingCompute(const ModelConfig& config, std::int64_t context);

  /// 1 for the source. Groups of several widths in a layer compute as the widest does.
  double operator()(const search::Grouping& grouping) const;
  /// Of one layer alone, in parts of all that the source computes.
  double of_layer(const search::LayerGrouping& layer) const;

 private:
  search::AttentionShape shape(const search::LayerGrouping& layer) const;

  search::AttentionShape source_;
  search::ComputeModel model_;
};

}  // namespace regroup::models
