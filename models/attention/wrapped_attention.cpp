#include "models/attention/wrapped_attention.hpp"

namespace regroup::models {

void WrappedAttention::visit_tensors(const TensorVisitor& visit) {
  inner_ = std::dynamic_pointer_cast<const DotProductAttention>(
      inner_->with_tensors([&](const NamedTensor& own) {
        at::Tensor tensor = own.tensor;
        visit(own.name, tensor, own.use);
        return tensor;
      }));
}

}  // namespace regroup::models
