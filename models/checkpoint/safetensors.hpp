#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "models/checkpoint/tensor_view.hpp"
#include "models/files/mapped_file.hpp"

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
class SafetensorsFile {
 public:
  /// Maps and checks the file, in O(n log n) of the number of tensors. Throws InputError.
  explicit SafetensorsFile(const std::filesystem::path& path);

  const std::filesystem::path& path() const { return file_.path(); }
  /// All tensors by ascending name (in bytes).
  std::span<const TensorView> tensors() const { return tensors_; }
  /// The names in that order.
  std::vector<std::string> names() const;
  /// The tensor, or null. Logarithmic.
  const TensorView* find(std::string_view name) const;
  /// The tensor; throws InputError when there is none of that name. Logarithmic.
  const TensorView& tensor(std::string_view name) const;
  /// The header's `__metadata__`, empty when absent.
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  /// Gives the memory behind a tensor of this file back to the system; see MappedFile.
  void release(const TensorView& tensor) const { file_.release_pages(tensor.bytes); }

 private:
  MappedFile file_;
  std::vector<TensorView> tensors_;
  std::map<std::string, std::string> metadata_;
};

}  // namespace regroup::models
