#include "models/grouping/grouping_compute.hpp"

#include <vector>

#include "models/layers/shared_rows.hpp"

namespace regroup::models {
namespace {

search::AttentionShape source_shape(const ModelConfig& config, std::int64_t context) {
  return {.query_heads = config.query_heads,
          .key_groups = config.kv_heads,
          .value_groups = config.kv_heads,
          .key_width = config.head_dim,
          .value_width = config.head_dim,
          .model_width = config.width,
          .context = context};
}

search::ComputeModel source_model(const ModelConfig& config, std::int64_t context) {
  const std::vector<search::AttentionShape> layers(static_cast<std::size_t>(config.layers),
                                                   source_shape(config, context));
  return search::ComputeModel(layers);
}

}  // namespace

GroupingCompute::GroupingCompute(const ModelConfig& config, std::int64_t context)
    : source_(source_shape(config, context)), model_(source_model(config, context)) {}

double GroupingCompute::operator()(const search::Grouping& grouping) const {
  std::vector<search::AttentionShape> layers;
  for (const search::LayerGrouping& layer : grouping.layers) layers.push_back(shape(layer));
  return model_.relative(layers);
}

double GroupingCompute::of_layer(const search::LayerGrouping& layer) const {
  const std::vector<search::AttentionShape> one = {shape(layer)};
  return model_.relative(one);
}

search::AttentionShape GroupingCompute::shape(const search::LayerGrouping& layer) const {
  search::AttentionShape own = source_;
  own.key_groups = std::ssize(layer.stored_keys());
  own.value_groups = std::ssize(layer.stored_values());
  if (!layer.widths) return own;
  const LayerWidths widths = layer_widths(*layer.widths);
  own.key_width = widths.key;
  own.value_width = widths.value;
  return own;
}

}  // namespace regroup::models
