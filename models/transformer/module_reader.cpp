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

bool ModuleReader::turns(Use use) const {
  return use == Use::kMatrix && model_.spec.transposed;
}

bool ModuleReader::stays_in_file(const TensorView& view, Use use) const {
  return keeps_narrow(options_) && use != Use::kAsItIs && !turns(use) &&
         can_be_mapped(view, options_);
}

at::Tensor ModuleReader::placed(const at::Tensor& tensor, Use use) const {
  const bool is_weight = use == Use::kMatrix || (use == Use::kTable && keeps_narrow(options_));
  return is_weight ? place_weight(tensor, options_) : to_compute(tensor, options_);
}

ReadTensor ModuleReader::read(const std::string& name, Use use) const {
  const at::Tensor* own = overlay_ != nullptr ? overlay_->find(name) : nullptr;
  if (own == nullptr && base_ != nullptr) {
    const auto found = base_->find(name);
    if (found != base_->end()) return found->second;
  }
  const TensorView& view = model_.checkpoint.tensor(name);
  if (own != nullptr) require_shape_of(*own, view);
  if (own == nullptr && stays_in_file(view, use)) {
    require_finite(view);
    const at::Tensor mapped = mapped_tensor(view, model_.checkpoint.lease(view));
    model_.checkpoint.release(view);
    return {mapped, mapped};
  }
  const at::Tensor stored = own != nullptr ? *own : from_checkpoint(view);
  ReadTensor result{placed(turns(use) ? stored.t().contiguous() : stored, use), {}};
  const bool is_trained = own != nullptr && own->requires_grad();
  result.stored = is_trained ? *own : turns(use) ? result.used.t() : result.used;
  return result;
}

at::Tensor ModuleReader::take(std::string_view name, Use use) {
  const std::string stored = model_.stored_name(name);
  auto found = read_.find(stored);
  if (found == read_.end()) found = read_.emplace(stored, read(stored, use)).first;
  return found->second.used;
}

Linear ModuleReader::linear(std::string_view module, bool has_bias) {
  Linear result{take(std::string(module) + ".weight", Use::kMatrix), {}};
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
