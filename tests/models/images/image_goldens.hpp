#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>

#include "models/files/json_file.hpp"
#include "models/files/sha256.hpp"
#include "tests/support/paths.hpp"

namespace regroup::tests {

/// A file of the folder image_goldens, which its make_goldens.py made.
inline std::filesystem::path image_golden(std::string_view name) {
  return source_folder() / "tests/models/images/image_goldens" / name;
}

/// A list of goldens.json: "decoded", "resized", "processed", or the object "shared".
inline nlohmann::json image_goldens(std::string_view list) {
  return models::read_json_file(image_golden("goldens.json")).at(list);
}

/// SHA-256 of the bytes of numbers.
template <typename Numbers>
std::string digest(const Numbers& numbers) {
  return models::sha256_hex(std::as_bytes(std::span(numbers)));
}

}  // namespace regroup::tests
