#include "models/elements/element_type.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "models/elements/half.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

constexpr std::array kWeightTypes = {DType::kF32, DType::kF16, DType::kBF16};
/// Elements that are converted at a time.
constexpr std::size_t kChunk = 1 << 16;

void require_in_reach(std::span<const float> values, std::span<const float> converted, DType to,
                      std::string_view tensor) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (std::isfinite(converted[i]) || !std::isfinite(values[i])) continue;
    throw WorkError({.what = "weight is too large for the element type",
                     .where = std::string(tensor),
                     .expected = "a number that " + std::string(config_name(to)) + " holds",
                     .found = std::to_string(values[i])});
  }
}

}  // namespace

DType find_weight_dtype(std::string_view name) {
  for (const DType dtype : kWeightTypes) {
    if (name == config_name(dtype)) return dtype;
  }
  throw InputError({.what = "element type of weights is not known",
                    .where = "--dtype",
                    .expected = "float32, float16 or bfloat16",
                    .found = std::string(name)});
}

void convert_elements(DType from, std::span<const std::byte> elements, DType to,
                      std::span<std::byte> out, std::string_view tensor) {
  if (from == to) {
    std::ranges::copy(elements, out.begin());
    return;
  }
  std::vector<float> values;
  std::vector<float> converted;
  const std::size_t count = elements.size() / byte_width(from);
  for (std::size_t first = 0; first < count; first += kChunk) {
    const std::size_t size = std::min(kChunk, count - first);
    values.resize(size);
    converted.resize(size);
    to_float(from, elements.subspan(first * byte_width(from), size * byte_width(from)), values);
    const auto chunk = out.subspan(first * byte_width(to), size * byte_width(to));
    from_float(to, values, chunk);
    to_float(to, chunk, converted);
    require_in_reach(values, converted, to, tensor);
  }
}

}  // namespace regroup::models
