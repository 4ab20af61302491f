#include "models/attention/alibi.hpp"

#include "models/tensors/tensors.hpp"

namespace regroup::models {

Alibi::Alibi(const AlibiConfig& config, const ComputeOptions& options)
    : slopes_(to_compute(at::tensor(config.slopes, at::kDouble).to(at::kFloat), options)
                  .view({1, -1, 1, 1})),
      in_bfloat16_(config.in_bfloat16),
      scale_(config.scale) {}

at::Tensor Alibi::operator()(std::int64_t keys) const {
  const auto type = in_bfloat16_ ? at::kBFloat16 : slopes_.scalar_type();
  const at::Tensor positions =
      at::arange(keys, at::TensorOptions(slopes_.device()).dtype(at::kLong)).to(type);
  return (slopes_.to(type) * positions).to(slopes_.scalar_type()) * scale_;
}

}  // namespace regroup::models
