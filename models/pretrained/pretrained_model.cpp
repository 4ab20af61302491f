#include "models/pretrained/pretrained_model.hpp"

#include <array>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "models/architecture/config_keys.hpp"
#include "models/architecture/expected_tensors.hpp"
#include "models/architecture/families/families.hpp"
#include "models/checkpoint/finite_scan.hpp"
#include "models/pretrained/match_tensors.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

constexpr std::array kRoles = {AttentionRole::kQuery, AttentionRole::kKey, AttentionRole::kValue,
                               AttentionRole::kOutput};

void require_supported_dtype(const TensorView& tensor) {
  constexpr std::array kSupported = {DType::kF32, DType::kF16, DType::kBF16, DType::kF64};
  for (const DType dtype : kSupported) {
    if (tensor.dtype == dtype) return;
  }
  throw InputError({.what = "tensor has an element type that is not supported",
                    .where = tensor.where(),
                    .expected = "F32, F16, BF16 or F64",
                    .found = std::string(safetensors_name(tensor.dtype))});
}

}  // namespace

std::string PretrainedModel::stored_name(std::string_view name) const {
  const auto found = stored_names.find(name);
  return found != stored_names.end() ? found->second : std::string(name);
}

const TensorView& PretrainedModel::tensor(std::string_view name) const {
  return checkpoint.tensor(stored_name(name));
}

const TensorView& PretrainedModel::weight_tensor(int layer, AttentionRole role) const {
  return tensor(stored_weight(spec, config, place(layer), role).module + ".weight");
}

const TensorView& PretrainedModel::bias_tensor(int layer, AttentionRole role) const {
  return tensor(stored_bias(spec, config, place(layer), role).module + ".bias");
}

PretrainedModel open_model(const std::filesystem::path& path) {
  Checkpoint checkpoint(path);
  const std::string where = checkpoint.config_where();
  const nlohmann::json& config = checkpoint.config();
  const ArchitectureSpec& spec = find_architecture(config, where);
  std::vector<std::string> unknown = unknown_keys(config, spec);
  ModelConfig own = read_model_config(config, spec, where);
  PretrainedModel model{std::move(checkpoint), spec, std::move(own),
                        DType::kF32,           {},   std::move(unknown)};
  match_tensors(model);
  for (const ExpectedTensor& one : expected_tensors(spec, model.config)) {
    const TensorView& tensor = model.tensor(one.name);
    require_shape(tensor, one.shape);
    require_supported_dtype(tensor);
  }
  const TensorView& key = model.weight_tensor(0, AttentionRole::kKey);
  model.dtype = key.storage.blocks ? DType::kF16 : key.dtype;
  return model;
}

void require_equal_layers(const PretrainedModel& model) {
  if (model.config.mixture) {
    throw InputError({.what = "heads of mixtures of keys are not merged",
                      .where = model.checkpoint.config_where() + ", attention",
                      .expected = "a model of dot products"});
  }
  if (model.config.heads_by_layer.empty()) return;
  throw InputError({.what = "the checkpoint is a converted one whose layers differ in their heads",
                    .where = model.checkpoint.config_where(),
                    .expected = "the checkpoint that it was converted from"});
}

void require_finite_attention(const PretrainedModel& model) {
  for (int layer = 0; layer < model.config.layers; ++layer) {
    std::set<const TensorView*> tensors;  // projections may share one
    for (const AttentionRole role : kRoles) {
      tensors.insert(&model.weight_tensor(layer, role));
      if (has_bias(model.config, role)) tensors.insert(&model.bias_tensor(layer, role));
    }
    for (const TensorView* tensor : tensors) {
      require_finite(*tensor);
      model.checkpoint.release(*tensor);
    }
  }
}

}  // namespace regroup::models
