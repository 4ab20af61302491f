#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "models/checkpoint/gguf/gguf_metadata.hpp"

namespace regroup::models {

/// The value of a key, or null. Linear in the number of keys.
const GgufValue* find_value(const GgufMetadata& metadata, std::string_view key);

/// The text, or the numbers and texts, of a key; null where it is absent or of another type.
template <typename T>
const T* find_typed(const GgufMetadata& metadata, std::string_view key) {
  const GgufValue* value = find_value(metadata, key);
  return value == nullptr ? nullptr : std::get_if<T>(value);
}

/// Metadata as a JSON object, so that json_fields.hpp reads and checks it: all but arrays of more
/// than 4,096 values, such as a vocabulary. A float becomes the double of its shortest decimal
/// form: 1e-5 and not 9.99999974737875e-06.
nlohmann::json gguf_fields(const GgufMetadata& metadata);

}  // namespace regroup::models
