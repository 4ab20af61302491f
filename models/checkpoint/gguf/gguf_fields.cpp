#include "models/checkpoint/gguf/gguf_fields.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <type_traits>

namespace regroup::models {
namespace {

constexpr std::size_t kMostListed = 4096;

double shortest_double(float value) {
  if (!std::isfinite(value)) return static_cast<double>(value);
  std::array<char, 32> text{};
  const auto written = std::to_chars(text.data(), text.data() + text.size(), value);
  double result = 0;
  std::from_chars(text.data(), written.ptr, result);
  return result;
}

nlohmann::json json_of(float value) {
  return shortest_double(value);
}
template <typename T>
nlohmann::json json_of(const T& value) {
  return value;
}
template <typename T>
nlohmann::json json_of(const std::vector<T>& values) {
  nlohmann::json list = nlohmann::json::array();
  for (auto&& value : values) list.push_back(json_of(static_cast<const T&>(value)));
  return list;
}

/// Whether a value is a list that is too long to be a field.
template <typename T>
bool is_long(const T&) {
  return false;
}
template <typename T>
bool is_long(const std::vector<T>& values) {
  return values.size() > kMostListed;
}

}  // namespace

const GgufValue* find_value(const GgufMetadata& metadata, std::string_view key) {
  const auto found = std::find_if(metadata.begin(), metadata.end(),
                                  [&](const GgufEntry& entry) { return entry.key == key; });
  return found == metadata.end() ? nullptr : &found->value;
}

nlohmann::json gguf_fields(const GgufMetadata& metadata) {
  nlohmann::json fields = nlohmann::json::object();
  for (const GgufEntry& entry : metadata) {
    std::visit(
        [&](const auto& value) {
          if (!is_long(value)) fields[entry.key] = json_of(value);
        },
        entry.value);
  }
  return fields;
}

}  // namespace regroup::models
