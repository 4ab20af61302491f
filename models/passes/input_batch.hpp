#pragma once

#include <ATen/ATen.h>

#include <span>

#include "models/inputs/windows.hpp"
#include "models/transformer/transformer.hpp"

namespace regroup::models {

/// ids [batch · length] as an int64 tensor [batch, length] where the model computes.
at::Tensor id_tensor(std::span<const std::int32_t> ids, std::int64_t batch,
                     const ComputeOptions& options);

/// Windows begin … end − 1 as one batch: the inputs of a text, a pair's
/// source and its target moved on by one behind the decoder's first id, a text, or pixels. Pairs
/// and texts must be of the same lengths.
InputBatch input_batch(const Transformer& model, const Windows& windows, std::size_t begin,
                       std::size_t end);

/// One forward pass's input as a batch of one; it must be what the model reads.
InputBatch input_batch(const Transformer& model, const ForwardInput& input);

/// What the scored positions of that batch should have been, [positions], int64: next tokens,
/// tokens of the target or classes.
at::Tensor batch_targets(const Transformer& model, const Windows& windows, std::size_t begin,
                         std::size_t end);

}  // namespace regroup::models
