#include "models/attention/cache_codec.hpp"

#include <fmt/format.h>

#include <cmath>
#include <string>
#include <string_view>

#include "search/base/error.hpp"

namespace regroup::models {
namespace {

/// Heads are turned where their size is a multiple of this, values in parts of it.
constexpr std::int64_t kTurned = 64;

at::Tensor blocks_of(const at::Tensor& values) {
  return values.contiguous().view({-1, kCacheBlock});
}

/// 1 / scale, 0 for a scale of 0: [blocks, 1].
at::Tensor inverse_of(const at::Tensor& scale) {
  return scale.reciprocal().masked_fill(scale == 0, 0);
}

/// To the nearest integer, halves away from zero, as roundf.
at::Tensor rounded(const at::Tensor& x) {
  const at::Tensor whole = x.trunc();
  const at::Tensor left = x - whole;
  return whole + left.abs().ge(0.5).to(x.scalar_type()) * left.sign();
}

/// levels · scale with the scale as it is stored. Where that is 0, so is the block, although the
/// inverse of the scale before it was rounded may have overflowed.
at::Tensor rescaled(at::Tensor levels, const at::Tensor& scale) {
  const at::Tensor stored = scale.to(at::kHalf).to(at::kFloat);
  return (levels * stored).masked_fill(stored == 0, 0);
}

/// rows · turn in each part of the last dimension that has the size of `turn`.
at::Tensor turned(const at::Tensor& rows, const at::Tensor& turn) {
  if (!turn.defined()) return rows;
  const std::int64_t n = turn.size(0);
  return at::matmul(rows.contiguous().view({-1, n}), turn).view(rows.sizes());
}

void require_blocks(std::string_view heads, std::int64_t width, CacheType type) {
  if (width % kCacheBlock == 0) return;
  throw InputError({.what = "heads are no whole number of the cache's blocks",
                    .where = fmt::format("{} in {}", heads, cache_type_name(type)),
                    .expected = fmt::format("a multiple of {} dimensions", kCacheBlock),
                    .found = std::to_string(width)});
}

/// The largest power of two that divides n.
std::int64_t power_of_two_in(std::int64_t n) {
  return n & -n;
}

}  // namespace

at::Tensor rounded_to_q8_0(const at::Tensor& values) {
  const at::Tensor blocks = blocks_of(values);
  const at::Tensor scale = blocks.abs().amax(1, /*keepdim=*/true) / 127;
  return rescaled(rounded(blocks * inverse_of(scale)), scale).view(values.sizes());
}

at::Tensor rounded_to_q4_0(const at::Tensor& values) {
  const at::Tensor blocks = blocks_of(values);
  // The value of the largest size, the first of several, becomes −8 of the levels −8 … 7.
  const at::Tensor extreme = blocks.gather(1, blocks.abs().argmax(1, /*keepdim=*/true));
  const at::Tensor scale = extreme / -8;
  at::Tensor levels = (blocks * inverse_of(scale)).add(8.5).trunc().clamp_max(15).sub(8);
  return rescaled(std::move(levels), scale).view(values.sizes());
}

at::Tensor hadamard(std::int64_t n) {
  at::Tensor matrix = at::full({1, 1}, 1 / std::sqrt(static_cast<double>(n)), at::kFloat);
  while (matrix.size(0) < n) {
    matrix = at::cat({at::cat({matrix, matrix}, 1), at::cat({matrix, -matrix}, 1)}, 0);
  }
  return matrix;
}

KeyOrder cache_key_order(const ModelConfig& config) {
  const bool interleaves =
      config.architecture == "LlamaForCausalLM" || config.architecture == "MistralForCausalLM";
  return interleaves ? KeyOrder::kInterleaved : KeyOrder::kAsIs;
}

CacheCodec::CacheCodec(CacheType type, HeadWidths widths, KeyOrder order, const at::Device& device)
    : type_(type), order_(order) {
  if (!is_block_type(type)) return;
  require_blocks("keys", widths.key, type);
  require_blocks("values", widths.value, type);
  if (widths.key % kTurned == 0) key_turn_ = hadamard(power_of_two_in(widths.key)).to(device);
  if (widths.value % kTurned == 0) value_turn_ = hadamard(kTurned).to(device);
}

at::Tensor CacheCodec::keys(const at::Tensor& keys) const {
  // A head that is one block has no other order that matters.
  const bool matters = is_block_type(type_) && keys.size(3) > kCacheBlock;
  if (!matters || order_ == KeyOrder::kAsIs) return stored(keys, key_turn_);
  const at::Tensor pairs = keys.unflatten(3, {2, -1}).transpose(3, 4).flatten(3);
  return stored(pairs, key_turn_).unflatten(3, {-1, 2}).transpose(3, 4).flatten(3);
}

at::Tensor CacheCodec::stored(const at::Tensor& rows, const at::Tensor& turn) const {
  if (type_ == CacheType::kExact) return rows;
  if (type_ == CacheType::kF16) return rows.to(at::kHalf).to(rows.scalar_type());
  const at::Tensor plain = turned(rows.to(at::kFloat), turn);
  const at::Tensor kept =
      type_ == CacheType::kQ8_0 ? rounded_to_q8_0(plain) : rounded_to_q4_0(plain);
  return turned(kept, turn).to(rows.scalar_type());
}

}  // namespace regroup::models
