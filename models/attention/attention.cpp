#include "models/attention/attention.hpp"

#include <utility>

#include "search/base/error.hpp"

namespace regroup::models {

std::vector<NamedTensor> Attention::tensors() const {
  std::vector<NamedTensor> tensors;
  copy()->visit_tensors([&](std::string_view name, const at::Tensor& tensor, TensorUse use) {
    if (tensor.defined()) tensors.push_back({std::string(name), tensor, use});
  });
  return tensors;
}

std::shared_ptr<const Attention> Attention::with_tensors(
    const std::function<at::Tensor(const NamedTensor&)>& change) const {
  std::shared_ptr<Attention> changed = copy();
  changed->visit_tensors([&](std::string_view name, at::Tensor& tensor, TensorUse use) {
    if (tensor.defined()) tensor = change({std::string(name), tensor, use});
  });
  return changed;
}

std::shared_ptr<const Attention> Attention::with_own_weights() const {
  return with_tensors([](const NamedTensor& own) {
    if (own.use != TensorUse::kParameter) return own.tensor;
    return own.tensor.detach().requires_grad_(true);
  });
}

std::shared_ptr<const Attention> Attention::in_type(at::ScalarType type) const {
  return with_tensors([type](const NamedTensor& own) {
    return own.use == TensorUse::kParameter ? own.tensor.to(type) : own.tensor;
  });
}

std::shared_ptr<const Attention> Attention::after_step(const at::Tensor&, std::uint64_t) const {
  return copy();
}

std::unique_ptr<LayerCache> Attention::make_cache(std::int64_t, std::int64_t) const {
  refuse("attention has no cache", "a kind that goes on position by position");
}

std::shared_ptr<const Attention> Attention::with_cache(CacheType type, KeyOrder) const {
  if (type == CacheType::kExact) return copy();
  refuse("attention has no cache of this type", std::string(cache_type_name(CacheType::kExact)));
}

std::shared_ptr<const Attention> Attention::with(const MergedAttention&,
                                                 const ComputeOptions&) const {
  refuse("attention is not made of the projections of a checkpoint", "dot product");
}

void Attention::refuse(std::string what, std::string expected) const {
  throw InputError(
      {.what = std::move(what), .expected = std::move(expected), .found = std::string(name())});
}

}  // namespace regroup::models
