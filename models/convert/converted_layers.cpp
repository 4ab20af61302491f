#include "models/convert/converted_layers.hpp"

#include "models/convert/lay_out.hpp"

namespace regroup::models {

ConvertedLayers::ConvertedLayers(const PretrainedModel& model, const MergedLayers& layers,
                                 Layout layout)
    : model_(model), layers_(layers), layout_(layout) {
  require_holds(layout, layers.grouping(), model.config);
  heads_ = stored_heads(layout, layers.grouping(), model.config);
}

const AttentionWeights& ConvertedLayers::layer(int index) {
  if (held_ != index) {
    const auto at = static_cast<std::size_t>(index);
    current_ = layers_.layer(at);
    lay_out(layout_, current_, heads_[at], model_.config.head_dim);
    held_ = index;
  }
  return current_.weights;
}

}  // namespace regroup::models
