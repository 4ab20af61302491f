#pragma once

#include <optional>
#include <vector>

#include "models/architecture/model_config.hpp"
#include "models/layers/head_map.hpp"
#include "models/layers/shared_rows.hpp"
#include "search/groupings/grouping.hpp"

namespace regroup::models {

/// Which stored key and value heads the query heads of one attention layer read, and how wide they
/// are.
struct LayerHeadMaps {
  HeadMap keys;
  HeadMap values;
  std::optional<LayerWidths> widths = {};  ///< absent: as wide as the source's heads

  bool operator==(const LayerHeadMaps&) const = default;
};

/// Those of all layers of a model.
using ModelHeadMaps = std::vector<LayerHeadMaps>;

/// The maps of a layer whose heads are shared: a query head reads the stored head of its group in
/// the allocation, else of its source KV head's group. Stored heads are in the order of groups;
/// `queries_per_kv_head` is r.
LayerHeadMaps head_maps(const search::LayerGrouping& layer, int queries_per_kv_head);
/// Those of all layers.
ModelHeadMaps head_maps(const search::Grouping& grouping, const ModelConfig& config);
/// The maps that a checkpoint's layer has.
LayerHeadMaps source_head_maps(const ModelConfig& config, int layer);

}  // namespace regroup::models
