#include "models/checkpoint/finite_scan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
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

/// Whether a NaN or infinity, which has every bit of its exponent set, stands in [begin, end).
/// Without an early exit, so that the loop is vectorised.
template <typename Bits>
bool block_has_one(const std::byte* bytes, Bits exponent, std::int64_t begin, std::int64_t end) {
  Bits found = 0;
  for (std::int64_t i = begin; i < end; ++i) {
    const auto masked = static_cast<Bits>(load<Bits>(bytes, i) & exponent);
    found = static_cast<Bits>(found | static_cast<Bits>(masked == exponent));
  }
  return found != 0;
}

template <typename Bits>
std::int64_t first_in_block(const std::byte* bytes, Bits exponent, std::int64_t begin,
                            std::int64_t end) {
  if (!block_has_one(bytes, exponent, begin, end)) return kNone;
  while ((load<Bits>(bytes, begin) & exponent) != exponent) ++begin;
  return begin;
}

template <typename Bits>
std::int64_t first(std::span<const std::byte> bytes, Bits exponent) {
  const auto count = static_cast<std::int64_t>(bytes.size() / sizeof(Bits));
  const std::byte* data = bytes.data();
  std::int64_t result = kNone;
#ifdef _OPENMP
#pragma omp parallel for schedule(static) reduction(min : result)
#endif
  for (std::int64_t begin = 0; begin < count; begin += kBlock) {
    const std::int64_t end = std::min(count, begin + kBlock);
    result = std::min(result, first_in_block(data, exponent, begin, end));
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
      return first<std::uint64_t>(tensor.bytes, 0x7ff0'0000'0000'0000);
    default:
      return kNone;
  }
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
  float value = 0;
  read_floats(tensor, static_cast<std::size_t>(*index), {&value, 1});
  throw InputError({.what = "tensor holds a number that is not finite",
                    .where = fmt::format("{}, element {}", tensor.where(), *index),
                    .expected = "finite numbers",
                    .found = fmt::format("{}", value)});
}

}  // namespace regroup::models
