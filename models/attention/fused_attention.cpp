#include "models/attention/fused_attention.hpp"

#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include <limits>

namespace regroup::models {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

at::Tensor kernel(const at::Tensor& queries, const at::Tensor& keys, const at::Tensor& values,
                  const std::optional<at::Tensor>& mask, bool is_causal, double scale) {
  return at::scaled_dot_product_attention(queries, keys, values, mask, /*dropout_p=*/0.0, is_causal,
                                          scale);
}

/// The same step by step.
at::Tensor plain(const variable_list& inputs, double scale) {
  const at::Tensor logits = at::matmul(inputs[0], inputs[1].transpose(2, 3)) * scale + inputs[3];
  return at::matmul(at::softmax(logits, -1), inputs[2]);
}

/// Attention with a mask that requires gradients.
struct Masked : torch::autograd::Function<Masked> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& queries,
                            const at::Tensor& keys, const at::Tensor& values,
                            const at::Tensor& mask, double scale) {
    context->save_for_backward({queries, keys, values, mask});
    context->saved_data["scale"] = scale;
    return kernel(queries, keys, values, mask.detach(), /*is_causal=*/false, scale);
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const at::AutoGradMode with_gradients(true);
    variable_list inputs;
    for (const at::Tensor& input : context->get_saved_variables()) {
      inputs.push_back(input.detach().requires_grad_(true));
    }
    const at::Tensor output = plain(inputs, context->saved_data["scale"].toDouble());
    variable_list result = torch::autograd::grad({output}, inputs, gradients);
    result.emplace_back();  // of the scale
    return result;
  }
};

}  // namespace

at::Tensor fused_attention(const at::Tensor& queries, const at::Tensor& keys,
                           const at::Tensor& values, const std::optional<at::Tensor>& mask,
                           bool is_causal, double scale) {
  if (mask && mask->requires_grad() && at::GradMode::is_enabled()) {
    return Masked::apply(queries, keys, values, *mask, scale);
  }
  return kernel(queries, keys, values, mask, is_causal, scale);
}

at::Tensor capped(const at::Tensor& logits, double cap) {
  return at::tanh(logits / cap) * cap;
}

at::Tensor capped_attention(const at::Tensor& queries, const at::Tensor& keys,
                            const at::Tensor& values, const std::optional<at::Tensor>& mask,
                            double scale, double cap) {
  at::Tensor logits = capped(at::matmul(queries, keys.transpose(2, 3)) * scale, cap);
  if (mask && mask->scalar_type() == at::kBool) {
    logits = logits.masked_fill(mask->logical_not(), -std::numeric_limits<double>::infinity());
  } else if (mask) {
    logits = logits + *mask;
  }
  return at::matmul(at::softmax(logits, -1), values);
}

}  // namespace regroup::models
