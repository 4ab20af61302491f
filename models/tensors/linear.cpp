#include "models/tensors/linear.hpp"

namespace regroup::models {
namespace {

/// Whether the processor multiplies bfloat16 numbers by itself.
bool has_bfloat16_products() {
#ifdef __x86_64__
  static const bool has_them = __builtin_cpu_supports("avx512bf16") != 0;
  return has_them;
#else
  return true;
#endif
}

/// A single position is bound by reading the weights, which widening would only lengthen.
bool is_widened(const at::Tensor& x) {
  return x.scalar_type() == at::kBFloat16 && x.is_cpu() && x.dim() > 1 && x.size(-2) > 1 &&
         !has_bfloat16_products();
}

}  // namespace

at::Tensor Linear::operator()(const at::Tensor& x) const {
  const at::Tensor own = weight.to(x.device(), x.scalar_type(), /*non_blocking=*/true);
  if (!is_widened(x)) return at::linear(x, own, bias);
  const at::Tensor wide_bias = bias.defined() ? bias.to(at::kFloat) : bias;
  return at::linear(x.to(at::kFloat), own.to(at::kFloat), wide_bias).to(at::kBFloat16);
}

}  // namespace regroup::models
