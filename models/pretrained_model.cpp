#include "models/pretrained_model.hpp"

#include <array>
#include <utility>

#include "models/checkpoint/finite_scan.hpp"
#include "search/error.hpp"

namespace regroup::models {
namespace {

void require_supported_dtype(const TensorView& tensor) {
  constexpr std::array kSupported = {DType::kF32, DType::kF16, DType::kBF16};
  for (const DType dtype : kSupported) {
    if (tensor.dtype == dtype) return;
  }
  throw InputError({.what = "tensor has an element type that is not supported",
                    .where = tensor.where(),
                    .expected = "F32, F16 or BF16",
                    .found = std::string(safetensors_name(tensor.dtype))});
}

}  // namespace

const TensorView& PretrainedModel::tensor(std::string_view module, int layer,
                                          std::string_view suffix) const {
  return checkpoint.tensor(module_name(module, layer).append(suffix));
}

const TensorView* PretrainedModel::find(std::string_view module, int layer,
                                        std::string_view suffix) const {
  return checkpoint.find(module_name(module, layer).append(suffix));
}

PretrainedModel open_model(const std::filesystem::path& directory) {
  Checkpoint checkpoint(directory);
  const std::string where = checkpoint.config_where();
  const ArchitectureSpec& spec = find_architecture(checkpoint.config(), where);
  ModelConfig config = read_model_config(checkpoint.config(), spec, where);
  for (const ExpectedTensor& expected : expected_tensors(spec, config)) {
    const TensorView& tensor = checkpoint.tensor(expected.name);
    require_shape(tensor, expected.shape);
    require_supported_dtype(tensor);
  }
  const DType dtype = checkpoint.tensor(module_name(spec.modules.key, 0).append(".weight")).dtype;
  return {std::move(checkpoint), spec, std::move(config), dtype};
}

void require_finite_attention(const PretrainedModel& model) {
  const ModuleNames& modules = model.spec.modules;
  for (int layer = 0; layer < model.config.layers; ++layer) {
    for (const std::string_view module :
         {modules.query, modules.key, modules.value, modules.output}) {
      for (const std::string_view suffix : {".weight", ".bias"}) {
        const TensorView* tensor = model.find(module, layer, suffix);
        if (tensor == nullptr) continue;
        require_finite(*tensor);
        model.checkpoint.release(*tensor);
      }
    }
  }
}

}  // namespace regroup::models
