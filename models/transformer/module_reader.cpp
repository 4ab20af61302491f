#include "models/transformer/module_reader.hpp"

#include "models/checkpoint/finite_scan.hpp"
#include "models/transformer/tensors.hpp"

namespace regroup::models {

at::Tensor ModuleReader::tensor(std::string_view name) const {
  const TensorView& view = model_.tensor(name);
  require_finite(view);
  at::Tensor tensor = to_compute(to_tensor(view), options_);
  model_.checkpoint.release(view);
  return tensor;
}

Linear ModuleReader::linear(std::string_view module, bool has_bias) const {
  Linear result{weight(module), {}};
  if (model_.spec.transposed) result.weight = result.weight.t().contiguous();
  if (has_bias) result.bias = tensor(std::string(module) + ".bias");
  return result;
}

Norm ModuleReader::norm(std::string_view module) const {
  Norm result{weight(module), {}, config().norm_epsilon};
  if (config().norm == NormKind::kLayerNorm) result.bias = tensor(std::string(module) + ".bias");
  return result;
}

}  // namespace regroup::models
