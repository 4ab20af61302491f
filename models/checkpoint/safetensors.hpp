#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "models/checkpoint/weight_file.hpp"

namespace regroup::models {

/// A safetensors file: eight bytes with the header's length (little-endian), a JSON header that
/// gives every tensor's element type, shape and place, then the tensors' bytes.
///
/// Opening checks everything but the numbers themselves, at least as strictly as the reference
/// implementation: the header lies inside the file and within its size limit; the tensors fill the
/// rest of the file without overlap, gap or trailing bytes; each has a known type and as many bytes
/// as its shape needs; no name stands twice. Beyond the reference: duplicate names are refused, and
/// so is a shape whose product overflows behind a zero.
///
/// Views stay valid when the object is moved. Thread-safe for concurrent use of const members.
class SafetensorsFile : public WeightFile {
 public:
  /// Maps and checks the file, in O(n log n) of the number of tensors. Throws InputError.
  explicit SafetensorsFile(const std::filesystem::path& path);

  /// The header's `__metadata__`, empty when absent.
  const std::map<std::string, std::string>& metadata() const { return metadata_; }

 private:
  std::map<std::string, std::string> metadata_;
};

}  // namespace regroup::models
