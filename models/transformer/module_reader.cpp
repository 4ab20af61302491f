#include "models/transformer/module_reader.hpp"

#include "models/checkpoint/finite_scan.hpp"
#include "models/tensors/tensors.hpp"
#include "models/tensors/weight_place.hpp"

namespace regroup::models {

at::Tensor ModuleReader::stored(std::string_view name) const {
  const TensorView& view = model_.tensor(name);
  require_finite(view);
  at::Tensor tensor = to_tensor(view);
  model_.checkpoint.release(view);
  return tensor;
}

at::Tensor ModuleReader::tensor(std::string_view name) const {
  return to_compute(stored(name), options_);
}

Linear ModuleReader::linear(std::string_view module, bool has_bias) const {
  const at::Tensor weight = stored(std::string(module) + ".weight");
  Linear result{place_weight(model_.spec.transposed ? weight.t().contiguous() : weight, options_),
                {}};
  if (has_bias) result.bias = tensor(std::string(module) + ".bias");
  return result;
}

Norm ModuleReader::norm(std::string_view module) const {
  Norm result{weight(module), {}, config().norm_epsilon};
  if (config().norm == NormKind::kLayerNorm) result.bias = tensor(std::string(module) + ".bias");
  return result;
}

}  // namespace regroup::models
