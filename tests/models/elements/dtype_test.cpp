#include "models/elements/dtype.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "models/elements/conversion.hpp"
#include "search/base/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/error_message.hpp"

namespace regroup::models {
namespace {

using tests::contains;
using tests::error_message;

TEST_CASE("every dtype has names that lead back to it") {
  std::set<std::string_view> names;
  for (const DType dtype : all_dtypes()) {
    CHECK(dtype_from_safetensors(safetensors_name(dtype)) == dtype);
    CHECK(dtype_from_config(config_name(dtype)) == dtype);
    names.insert(safetensors_name(dtype));
    names.insert(config_name(dtype));
  }
  CHECK(all_dtypes().size() == 22);
  CHECK(names.size() == 44);
  CHECK(dtype_from_config("torch.bfloat16") == DType::kBF16);
  CHECK(dtype_from_config("float16") == DType::kF16);
  CHECK(dtype_from_safetensors("F32") == DType::kF32);
  CHECK_FALSE(dtype_from_safetensors("f32"));
  CHECK_FALSE(dtype_from_safetensors(""));
  CHECK_FALSE(dtype_from_config("auto"));
}

TEST_CASE("sizes of elements") {
  CHECK(byte_width(DType::kBool) == 1);
  CHECK(byte_width(DType::kBF16) == 2);
  CHECK(byte_width(DType::kF32) == 4);
  CHECK(byte_width(DType::kI64) == 8);
  CHECK(bit_width(DType::kF4) == 4);
  CHECK_THAT(error_message<InputError>([] { byte_width(DType::kF6E2M3); }), contains("F6_E2M3"));
}

using Shape = std::vector<std::int64_t>;

TEST_CASE("sizes of tensors") {
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  CHECK(tensor_bytes(DType::kF32, Shape{}) == 4U);
  CHECK(tensor_bytes(DType::kF32, Shape{2, 3}) == 24U);
  CHECK(tensor_bytes(DType::kF32, Shape{2, 0, 3}) == 0U);
  CHECK(tensor_bytes(DType::kF4, Shape{2}) == 1U);
  CHECK(tensor_bytes(DType::kF6E3M2, Shape{4}) == 3U);
  CHECK_FALSE(tensor_bytes(DType::kF4, Shape{3}));
  CHECK_FALSE(tensor_bytes(DType::kF32, Shape{-1}));
  CHECK_FALSE(tensor_bytes(DType::kF32, Shape{0, -1}));
  CHECK_FALSE(tensor_bytes(DType::kU8, Shape{kMax}));
  CHECK_FALSE(tensor_bytes(DType::kU8, Shape{1LL << 32, 1LL << 32}));
  CHECK_FALSE(tensor_bytes(DType::kU8, Shape{0, 1LL << 32, 1LL << 32}));
  CHECK_FALSE(tensor_bytes(DType::kF64, Shape{1LL << 62}));
}

TEST_CASE("shapes print") {
  CHECK(shape_text(Shape{}) == "[]");
  CHECK(shape_text(Shape{256, 128}) == "[256, 128]");
  CHECK(shape_text(Shape(9, 1)) == "[1, 1, 1, 1, 1, 1, 1, 1, ...]");
}

// ---- 16-bit floats, against their definition in real arithmetic ----

/// A format with one sign bit, `exponent_bits` and `mantissa_bits`, as IEEE 754 defines it.
struct Format {
  int exponent_bits;
  int mantissa_bits;
};
constexpr Format kHalf{5, 10};
constexpr Format kBrain{8, 7};

/// The number that finite bits mean; exact in double.
double value_of(const Format& format, unsigned magnitude) {
  const int bias = (1 << (format.exponent_bits - 1)) - 1;
  const int exponent = static_cast<int>(magnitude >> format.mantissa_bits);
  const auto mantissa = static_cast<double>(magnitude & ((1U << format.mantissa_bits) - 1U));
  const double fraction = std::ldexp(mantissa, -format.mantissa_bits);
  return exponent == 0 ? std::ldexp(fraction, 1 - bias) : std::ldexp(1 + fraction, exponent - bias);
}

unsigned infinity_of(const Format& format) {
  return ((1U << format.exponent_bits) - 1U) << format.mantissa_bits;
}

/// All magnitudes' values, ascending; the last, infinity's bits, means the next power of two.
std::vector<double> values_of(const Format& format) {
  std::vector<double> values;
  for (unsigned bits = 0; bits <= infinity_of(format); ++bits) {
    values.push_back(value_of(format, bits));
  }
  return values;
}

/// The magnitude bits nearest to value >= 0, ties to even, by searching among all. What is at least
/// as far as the middle between the largest finite number and the next power of two is infinite.
unsigned nearest(const std::vector<double>& values, double value) {
  if (value >= values.back()) return static_cast<unsigned>(values.size()) - 1;
  const auto above = std::upper_bound(values.begin(), values.end(), value);
  const auto high = static_cast<unsigned>(above - values.begin());
  const unsigned low = high - 1;
  const double up = values[high] - value;
  const double down = value - values[low];
  if (up == down) return low % 2 == 0 ? low : high;
  return down < up ? low : high;
}

float widened(DType dtype, std::uint16_t bits) {
  float value = 0;
  to_float(dtype, std::as_bytes(std::span(&bits, 1)), {&value, 1});
  return value;
}

std::uint16_t narrowed(DType dtype, float value) {
  std::uint16_t bits = 0;
  from_float(dtype, {&value, 1}, std::as_writable_bytes(std::span(&bits, 1)));
  return bits;
}

TEST_CASE("widening is exact for all 65,536 values of both formats") {
  std::size_t nans = 0;
  std::size_t subnormals = 0;
  std::size_t wrong = 0;
  for (unsigned bits = 0; bits <= 0xffffU; ++bits) {
    const unsigned magnitude = bits & 0x7fffU;
    for (const Format& format : {kHalf, kBrain}) {
      const auto stored = static_cast<std::uint16_t>(bits);
      const bool half = format.mantissa_bits == kHalf.mantissa_bits;
      const float wide = widened(half ? DType::kF16 : DType::kBF16, stored);
      if (std::signbit(wide) != (bits > 0x7fffU)) ++wrong;
      if (magnitude > infinity_of(format)) {
        ++nans;
        if (!std::isnan(wide)) ++wrong;
      } else if (magnitude == infinity_of(format)) {
        if (!std::isinf(wide)) ++wrong;
      } else {
        if (magnitude != 0 && magnitude >> format.mantissa_bits == 0) ++subnormals;
        if (static_cast<double>(std::abs(wide)) != value_of(format, magnitude)) ++wrong;
      }
    }
  }
  CHECK(wrong == 0);
  CHECK(nans == 2 * (1023 + 127));
  CHECK(subnormals == 2 * (1023 + 127));
}

TEST_CASE("narrowing after widening gives the same bits, and a NaN for a NaN") {
  std::size_t wrong = 0;
  for (unsigned bits = 0; bits <= 0xffffU; ++bits) {
    const auto stored = static_cast<std::uint16_t>(bits);
    for (const DType dtype : {DType::kF16, DType::kBF16}) {
      const float wide = widened(dtype, stored);
      const std::uint16_t back = narrowed(dtype, wide);
      if (std::isnan(wide) ? !std::isnan(widened(dtype, back)) : back != stored) ++wrong;
    }
  }
  CHECK(wrong == 0);
}

/// Compares both narrowings of a finite value with the search.
bool narrows_to_nearest(float value) {
  static const std::vector<double> kHalfValues = values_of(kHalf);
  static const std::vector<double> kBrainValues = values_of(kBrain);
  const double magnitude = std::abs(static_cast<double>(value));
  const unsigned sign = std::signbit(value) ? 0x8000U : 0U;
  return narrowed(DType::kF16, value) == (sign | nearest(kHalfValues, magnitude)) &&
         narrowed(DType::kBF16, value) == (sign | nearest(kBrainValues, magnitude));
}

TEST_CASE("narrowing rounds to nearest, ties to even, at every boundary") {
  // Around every representable number and every middle between two: the float itself and the
  // floats next to it on both sides.
  std::size_t checked = 0;
  std::size_t wrong = 0;
  for (const Format& format : {kHalf, kBrain}) {
    for (unsigned magnitude = 0; magnitude < infinity_of(format); ++magnitude) {
      const double here = value_of(format, magnitude);
      const double middle = (here + value_of(format, magnitude + 1)) / 2;
      for (const double center : {here, middle}) {
        const auto value = static_cast<float>(center);
        for (const float near : {std::nextafter(value, 0.0F), value,
                                 std::nextafter(value, std::numeric_limits<float>::infinity())}) {
          if (!std::isfinite(near)) continue;
          for (const float either : {near, -near}) {
            ++checked;
            if (!narrows_to_nearest(either)) ++wrong;
          }
        }
      }
    }
  }
  CHECK(wrong == 0);
  CHECK(checked > 700'000);
}

TEST_CASE("narrowing random floats, infinities and NaN") {
  std::mt19937_64 random(1);  // NOLINT: the same numbers every time
  std::size_t finite = 0;
  std::size_t wrong = 0;
  for (int i = 0; i < 200'000; ++i) {
    const auto value = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
    if (std::isfinite(value)) {
      ++finite;
      if (!narrows_to_nearest(value)) ++wrong;
    } else if (std::isnan(value)) {
      for (const DType dtype : {DType::kF16, DType::kBF16}) {
        if (!std::isnan(widened(dtype, narrowed(dtype, value)))) ++wrong;
      }
    }
  }
  CHECK(wrong == 0);
  CHECK(finite > 190'000);
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  CHECK(narrowed(DType::kF16, kInfinity) == 0x7c00);
  CHECK(narrowed(DType::kF16, -kInfinity) == 0xfc00);
  CHECK(narrowed(DType::kBF16, kInfinity) == 0x7f80);
  CHECK(narrowed(DType::kBF16, -kInfinity) == 0xff80);
  // A NaN whose payload lies only in the bits that are cut off must not become infinite.
  const auto low_payload = std::bit_cast<float>(0x7f80'0001U);
  CHECK(std::isnan(widened(DType::kF16, narrowed(DType::kF16, low_payload))));
  CHECK(std::isnan(widened(DType::kBF16, narrowed(DType::kBF16, low_payload))));
}

TEST_CASE("buffers convert element by element at any alignment") {
  std::vector<float> values;
  for (int i = -50; i < 53; ++i) values.push_back(static_cast<float>(i) * 0.37F);
  for (const DType dtype : {DType::kF16, DType::kBF16, DType::kF32, DType::kF64}) {
    const std::size_t size = values.size() * byte_width(dtype);
    for (std::size_t shift = 0; shift < 3; ++shift) {
      std::vector<std::byte> storage(size + 3);
      const std::span<std::byte> bytes(storage.data() + shift, size);
      from_float(dtype, values, bytes);
      std::vector<float> back(values.size());
      to_float(dtype, bytes, back);
      for (std::size_t i = 0; i < values.size(); ++i) {
        const bool is_short = byte_width(dtype) == 2;
        REQUIRE(back[i] == (is_short ? widened(dtype, narrowed(dtype, values[i])) : values[i]));
      }
    }
  }
}

TEST_CASE("buffers that do not fit are refused") {
  std::vector<float> values(4);
  std::vector<std::byte> bytes(9);
  CHECK_THAT(error_message<WorkError>([&] { to_float(DType::kBF16, bytes, values); }),
             contains("found: 9 bytes"));
  CHECK_THAT(error_message<WorkError>([&] { from_float(DType::kF64, values, bytes); }),
             contains("expected: 32 bytes"));
  CHECK_THAT(error_message<InputError>([&] { to_float(DType::kI32, bytes, values); }),
             contains("found: I32"));
  to_float(DType::kF32, {}, {});
  from_float(DType::kF16, {}, {});
}

}  // namespace
}  // namespace regroup::models
