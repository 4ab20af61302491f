#pragma once

#include <ATen/ATen.h>

#include <cstdint>

namespace regroup::models {

/// [batch, length, heads · width] → [batch, heads, length, width].
inline at::Tensor split_heads(const at::Tensor& x, std::int64_t width) {
  return x.view({x.size(0), x.size(1), -1, width}).transpose(1, 2);
}
/// The other way round.
inline at::Tensor join_heads(const at::Tensor& heads) {
  return heads.transpose(1, 2).flatten(2);
}

}  // namespace regroup::models
