#include "models/checkpoint/finite_scan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "search/base/error.hpp"

namespace regroup::models {
namespace {

// Long enough that starting a block costs nothing, short enough to spread over threads.
constexpr std::int64_t kBlock = 1 << 14;
constexpr std::int64_t kNone = std::numeric_limits<std::int64_t>::max();

template <typename Bits>
Bits load(const std::byte* bytes, std::int64_t index) {
  Bits bits;
  std::memcpy(&bits, bytes + static_cast<std::size_t>(index) * sizeof(Bits), sizeof(Bits));
  return bits;
}

/// The bits of an element but for its sign; they order as the numbers do, infinity and NaN last.
template <typename Bits>
Bits magnitude(const std::byte* bytes, std::int64_t index) {
  constexpr auto kAllButSign = static_cast<Bits>(std::numeric_limits<Bits>::max() >> 1U);
  return static_cast<Bits>(load<Bits>(bytes, index) & kAllButSign);
}

/// Whether an element whose magnitude, all bits but the sign's, is at least `least` stands in
/// [begin, end). Without an early exit, so that the loop is vectorised.
template <typename Bits>
bool block_has_one(const std::byte* bytes, Bits least, std::int64_t begin, std::int64_t end) {
  Bits found = 0;
  for (std::int64_t i = begin; i < end; ++i) {
    found = static_cast<Bits>(found | static_cast<Bits>(magnitude<Bits>(bytes, i) >= least));
  }
  return found != 0;
}

template <typename Bits>
std::int64_t first_in_block(const std::byte* bytes, Bits least, std::int64_t begin,
                            std::int64_t end) {
  if (!block_has_one(bytes, least, begin, end)) return kNone;
  while (magnitude<Bits>(bytes, begin) < least) ++begin;
  return begin;
}

template <typename Bits>
std::int64_t first(std::span<const std::byte> bytes, Bits least) {
  const auto count = static_cast<std::int64_t>(bytes.size() / sizeof(Bits));
  const std::byte* data = bytes.data();
  std::int64_t result = kNone;
#ifdef _OPENMP
#pragma omp parallel for schedule(static) reduction(min : result)
#endif
  for (std::int64_t begin = 0; begin < count; begin += kBlock) {
    const std::int64_t end = std::min(count, begin + kBlock);
    result = std::min(result, first_in_block(data, least, begin, end));
  }
  return result;
}

/// Of elements that are not the bytes themselves.
std::int64_t first_made(const TensorView& tensor) {
  const std::int64_t count = tensor.elements();
  std::int64_t result = kNone;
#ifdef _OPENMP
#pragma omp parallel for schedule(static) reduction(min : result)
#endif
  for (std::int64_t begin = 0; begin < count; begin += kBlock) {
    std::array<float, kBlock> values;
    const auto part =
        std::span(values).first(static_cast<std::size_t>(std::min(kBlock, count - begin)));
    read_floats(tensor, static_cast<std::size_t>(begin), part);
    const std::int64_t found = first_in_block<std::uint32_t>(
        std::as_bytes(part).data(), 0x7f80'0000, 0, static_cast<std::int64_t>(part.size()));
    if (found != kNone) result = std::min(result, begin + found);
  }
  return result;
}

/// By the magnitude of infinity; of F64 by 2^128 − 2^103, the least that float32 rounds to
/// infinity.
std::int64_t first(const TensorView& tensor) {
  if (!tensor.storage.is_plain()) return first_made(tensor);
  switch (tensor.dtype) {
    case DType::kF16:
      return first<std::uint16_t>(tensor.bytes, 0x7c00);
    case DType::kBF16:
      return first<std::uint16_t>(tensor.bytes, 0x7f80);
    case DType::kF32:
      return first<std::uint32_t>(tensor.bytes, 0x7f80'0000);
    case DType::kF64:
      return first<std::uint64_t>(tensor.bytes, 0x47ef'ffff'f000'0000);
    default:
      return kNone;
  }
}

double element(const TensorView& tensor, std::int64_t index) {
  if (tensor.dtype == DType::kF64) {
    return std::bit_cast<double>(load<std::uint64_t>(tensor.bytes.data(), index));
  }
  float value = 0;
  read_floats(tensor, static_cast<std::size_t>(index), {&value, 1});
  return value;
}

}  // namespace

std::optional<std::int64_t> first_not_finite(const TensorView& tensor) {
  const std::int64_t index = first(tensor);
  if (index == kNone) return std::nullopt;
  return index;
}

void require_finite(const TensorView& tensor) {
  const auto index = first_not_finite(tensor);
  if (!index) return;
  const double value = element(tensor, *index);
  const bool is_large = std::isfinite(value);
  throw InputError({.what = is_large ? "tensor holds a number that float32 does not reach"
                                     : "tensor holds a number that is not finite",
                    .where = fmt::format("{}, element {}", tensor.where(), *index),
                    .expected = is_large ? "numbers below 2^128" : "finite numbers",
                    .found = fmt::format("{}", value)});
}

}  // namespace regroup::models
