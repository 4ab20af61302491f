#include "models/convert/converted_model.hpp"

#include <set>

#include "models/architecture/expected_tensors.hpp"
#include "models/convert/lay_out.hpp"
#include "models/elements/equal_tensors.hpp"
#include "models/layers/shared_rows.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

/// The tensors that a model reads, by their names in the checkpoint.
std::set<std::string> read_tensors(const PretrainedModel& model) {
  std::set<std::string> names;
  for (const ExpectedTensor& tensor : expected_tensors(model.spec, model.config)) {
    names.insert(model.stored_name(tensor.name));
  }
  return names;
}

void require_known(const PretrainedModel& model, const WeightOverlay& overlay) {
  const std::set<std::string> known = read_tensors(model);
  const std::set<std::string> projections = projection_names(model);
  for (const auto& [name, tensor] : overlay.tensors()) {
    if (projections.contains(name)) continue;
    if (!known.contains(name)) {
      throw InputError(
          {.what = "the model has no tensor of this name", .where = tensor_label(name)});
    }
    require_shape_of(tensor, model.checkpoint.tensor(name));
  }
}

ModelHeadMaps maps_of(const PretrainedModel& model, const WeightOverlay& overlay) {
  ModelHeadMaps maps;
  for (int layer = 0; layer < model.config.layers; ++layer) {
    maps.push_back(overlaid_maps(model, overlay, layer));
  }
  return maps;
}

std::vector<int> own_frequencies(const ModelConfig& config) {
  return SharedRows::of_heads(HeadLayout::of_keys(config)).frequencies();
}

}  // namespace

ConvertedModel::ConvertedModel(const PretrainedModel& model, const WeightOverlay& overlay,
                               Layout layout)
    : model_(model), overlay_(in_projections(model, overlay)), layout_(layout) {
  require_known(model, overlay_);
  const ModelHeadMaps maps = maps_of(model, overlay_);
  require_holds(layout, maps, model.config);
  heads_ = stored_heads(layout, maps, model.config);
  frequencies_.resize(heads_.size());
  find_copies();
}

void ConvertedModel::find_copies() {
  const ModelModules& names = model_.spec.model;
  const std::set<std::string> read = read_tensors(model_);
  for (const std::string& shared :
       {std::string(names.embedding) + ".weight", std::string(names.head_bias)}) {
    const std::string original = model_.stored_name(shared);
    if (overlay_.find(original) == nullptr) continue;
    for (const std::string& name : model_.checkpoint.names()) {
      const bool is_copy = !read.contains(name) && are_equal(model_.checkpoint.tensor(name),
                                                             model_.checkpoint.tensor(original));
      if (is_copy) copies_[name] = original;
    }
  }
}

const AttentionWeights& ConvertedModel::layer(int index) {
  if (held_ != index) {
    current_ = overlaid_attention(model_, overlay_, index);
    lay_out(layout_, current_, heads_[static_cast<std::size_t>(index)],
            model_.config.of_layer(index));
    held_ = index;
    frequencies_[static_cast<std::size_t>(index)] =
        current_.widths ? current_.key_frequencies : own_frequencies(model_.config);
  }
  return current_.weights;
}

at::Tensor ConvertedModel::changed(const std::string& name) const {
  const auto copy = copies_.find(name);
  const at::Tensor* own = overlay_.find(copy == copies_.end() ? name : copy->second);
  return own == nullptr ? at::Tensor() : as_stored(*own, model_.checkpoint.tensor(name));
}

}  // namespace regroup::models
