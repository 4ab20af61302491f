#include "models/checkpoint/finite_scan.hpp"

#include <cmath>
#include <cstring>
#include <limits>
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

constexpr float kInfinity = std::numeric_limits<float>::infinity();
const float kNan = std::nanf("");

/// A tensor in memory, its bytes shifted off every alignment.
class Held {
 public:
  Held(DType dtype, const std::vector<float>& values)
      : bytes_(values.size() * byte_width(dtype) + 1) {
    const std::span<std::byte> shifted = std::span(bytes_).subspan(1);
    from_float(dtype, values, shifted);
    view = {.name = "w",
            .dtype = dtype,
            .shape = {static_cast<std::int64_t>(values.size())},
            .bytes = shifted,
            .file = "dir/model.safetensors"};
  }
  TensorView view;

 private:
  std::vector<std::byte> bytes_;
};

const std::vector<DType> kTypes = {DType::kF16, DType::kBF16, DType::kF32, DType::kF64};

TEST_CASE("finite tensors pass, however large their numbers") {
  for (const DType dtype : kTypes) {
    require_finite(Held(dtype, {}).view);
    require_finite(Held(dtype, std::vector<float>(40'000, -65504.0F)).view);
    require_finite(Held(dtype, {0.0F, -0.0F, 1e-7F}).view);
  }
}

TEST_CASE("the first bad element is found wherever it stands") {
  constexpr std::size_t kBlock = 1U << 14U;
  for (const DType dtype : kTypes) {
    for (const std::size_t at : {std::size_t{0}, std::size_t{1}, kBlock - 1, kBlock, 3 * kBlock + 7,
                                 std::size_t{69'999}}) {
      for (const float bad : {kInfinity, -kInfinity, kNan}) {
        std::vector<float> values(70'000, 0.5F);
        values[at] = bad;
        values.back() = bad;
        CHECK(first_not_finite(Held(dtype, values).view) == static_cast<std::int64_t>(at));
      }
    }
  }
}

TEST_CASE("the message names file, tensor, element and value") {
  const std::string message = error_message<InputError>([] {
    require_finite(Held(DType::kBF16, {1, 2, kInfinity, kNan}).view);
  });
  CHECK(message ==
        "tensor holds a number that is not finite\n"
        "  where: dir/model.safetensors, tensor w, element 2\n"
        "  expected: finite numbers\n  found: inf");
  CHECK_THAT(error_message<InputError>([] { require_finite(Held(DType::kF16, {kNan}).view); }),
             contains("found: nan"));
}

TEST_CASE("every pattern of 16 bits is judged as its value is") {
  for (const DType dtype : {DType::kF16, DType::kBF16}) {
    std::size_t wrong = 0;
    for (unsigned bits = 0; bits <= 0xffffU; ++bits) {
      const auto stored = static_cast<std::uint16_t>(bits);
      float value = 0;
      to_float(dtype, std::as_bytes(std::span(&stored, 1)), {&value, 1});
      const TensorView view{.name = "w",
                            .dtype = dtype,
                            .shape = {1},
                            .bytes = std::as_bytes(std::span(&stored, 1)),
                            .file = {}};
      if (first_not_finite(view).has_value() == std::isfinite(value)) ++wrong;
    }
    CHECK(wrong == 0);
  }
}

TEST_CASE("doubles are judged by what they are as float") {
  const double least = std::ldexp(1.0, 128) - std::ldexp(1.0, 103);  // rounds to infinity
  REQUIRE(std::isinf(static_cast<float>(least)));
  std::vector<double> values = {std::nextafter(least, 0.0), -std::nextafter(least, 0.0), 1e-300,
                                -0.0};
  const auto view = [&] {
    return TensorView{.name = "w",
                      .dtype = DType::kF64,
                      .shape = {static_cast<std::int64_t>(values.size())},
                      .bytes = std::as_bytes(std::span(values)),
                      .file = "a"};
  };
  CHECK_FALSE(first_not_finite(view()));
  for (const double large : {least, -least, 1e300, std::numeric_limits<double>::infinity()}) {
    values[2] = large;
    CHECK(first_not_finite(view()) == 2);
  }
  values[2] = -1e300;
  const std::string message = error_message<InputError>([&] { require_finite(view()); });
  CHECK_THAT(message, contains("float32 does not reach"));
  CHECK_THAT(message, contains("a, tensor w, element 2"));
  CHECK_THAT(message, contains("found: -1e+300"));
}

TEST_CASE("integers are finite always") {
  const std::vector<std::int32_t> ones(8, -1);
  const TensorView integers{.name = "i",
                            .dtype = DType::kI32,
                            .shape = {8},
                            .bytes = std::as_bytes(std::span(ones)),
                            .file = {}};
  CHECK_FALSE(first_not_finite(integers));
}

}  // namespace
}  // namespace regroup::models
