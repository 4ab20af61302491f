#include "models/transformer/module_reader.hpp"

#include "models/checkpoint/finite_scan.hpp"
#include "models/tensors/tensors.hpp"
#include "models/tensors/weight_place.hpp"

namespace regroup::models {

at::Tensor ModuleReader::from_checkpoint(const TensorView& view) const {
  require_finite(view);
  at::Tensor tensor = to_tensor(view);
  model_.checkpoint.release(view);
  return tensor;
}

ReadTensor ModuleReader::read(const std::string& name, bool is_matrix) const {
  const at::Tensor* own = overlay_ != nullptr ? overlay_->find(name) : nullptr;
  if (own == nullptr && base_ != nullptr) {
    const auto found = base_->find(name);
    if (found != base_->end()) return found->second;
  }
  const TensorView& view = model_.checkpoint.tensor(name);
  if (own != nullptr) require_shape_of(*own, view);
  const at::Tensor stored = own != nullptr ? *own : from_checkpoint(view);
  const bool turns = is_matrix && model_.spec.transposed;
  const at::Tensor whole = turns ? stored.t().contiguous() : stored;
  ReadTensor result{is_matrix ? place_weight(whole, options_) : to_compute(whole, options_), {}};
  const bool is_trained = own != nullptr && own->requires_grad();
  result.stored = is_trained ? *own : turns ? result.used.t() : result.used;
  return result;
}

at::Tensor ModuleReader::take(std::string_view name, bool is_matrix) {
  const std::string stored = model_.stored_name(name);
  auto found = read_.find(stored);
  if (found == read_.end()) found = read_.emplace(stored, read(stored, is_matrix)).first;
  return found->second.used;
}

Linear ModuleReader::linear(std::string_view module, bool has_bias) {
  Linear result{take(std::string(module) + ".weight", /*is_matrix=*/true), {}};
  if (has_bias) result.bias = tensor(std::string(module) + ".bias");
  return result;
}

Norm ModuleReader::norm(std::string_view module) {
  Norm result{{}, {}, config().norm_epsilon, config().norm};
  if (has_weight(result.kind)) result.weight = weight(module);
  if (has_bias(result.kind)) result.bias = tensor(std::string(module) + ".bias");
  return result;
}

std::optional<Norm> ModuleReader::norm_if_named(std::string_view module) {
  // One without weights needs no name, and stands where the others do.
  if (module.empty()) return std::nullopt;
  return norm(module);
}

}  // namespace regroup::models
