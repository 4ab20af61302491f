#pragma once

#include <ATen/ATen.h>

#include <optional>

namespace regroup::models {

/// LibTorch's fused attention, softmax(scale · q·k + mask) v: queries [batch, H, length, key
/// width], keys and values [batch, H, key length, width] → [batch, H, length, value width]. Where
/// the mask requires gradients too, which the fused kernels have none of, the backward pass
/// computes the layer again without them; the forward pass is the same to the bit.
at::Tensor fused_attention(const at::Tensor& queries, const at::Tensor& keys,
                           const at::Tensor& values, const std::optional<at::Tensor>& mask,
                           bool is_causal, double scale);

}  // namespace regroup::models
