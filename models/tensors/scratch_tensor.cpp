#include "models/tensors/scratch_tensor.hpp"

#include "models/files/scratch.hpp"

namespace regroup::models {

at::Tensor settled(const at::Tensor& tensor, const ComputeOptions& options) {
  if (options.scratch == nullptr || !tensor.defined()) return tensor;
  const bool stays = !tensor.is_cpu() || tensor.requires_grad() ||
                     tensor.nbytes() < options.scratch->smallest() ||
                     options.scratch->holds(tensor.data_ptr());
  if (stays) return tensor;
  std::shared_ptr<std::byte> memory = options.scratch->allocate(tensor.nbytes());
  void* start = memory.get();
  const at::Tensor copy = at::from_blob(
      start, tensor.sizes(), [memory = std::move(memory)](void*) {}, tensor.options());
  copy.copy_(tensor);
  return copy;
}

}  // namespace regroup::models
