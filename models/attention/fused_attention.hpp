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

/// c tanh(logits / c), Gemma 2's soft cap.
at::Tensor capped(const at::Tensor& logits, double cap);

/// The same as fused_attention step by step, with capped logits, which no fused kernel knows. A
/// mask of bool says what a query may see.
at::Tensor capped_attention(const at::Tensor& queries, const at::Tensor& keys,
                            const at::Tensor& values, const std::optional<at::Tensor>& mask,
                            double scale, double cap);

}  // namespace regroup::models
