#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "models/elements/tensor_view.hpp"
#include "models/files/mapped_file.hpp"

namespace regroup::models {

/// A file of named tensors, mapped into memory; the classes derived from it know the formats.
///
/// Views stay valid when the object is moved. Thread-safe for concurrent use of const members.
class WeightFile {
 public:
  virtual ~WeightFile() = default;
  WeightFile(WeightFile&&) = default;
  WeightFile& operator=(WeightFile&&) = default;
  WeightFile(const WeightFile&) = delete;
  WeightFile& operator=(const WeightFile&) = delete;

  const std::filesystem::path& path() const { return file_.path(); }
  /// All tensors by ascending name (in bytes).
  std::span<const TensorView> tensors() const { return tensors_; }
  /// The names in that order.
  std::vector<std::string> names() const;
  /// The tensor, or null. Logarithmic.
  const TensorView* find(std::string_view name) const;
  /// The tensor; throws InputError when there is none of that name. Logarithmic.
  const TensorView& tensor(std::string_view name) const;
  /// Gives the memory behind a tensor of this file back to the system; see MappedFile.
  void release(const TensorView& tensor) const { file_.release_pages(tensor.bytes); }
  /// Keeps the bytes of all tensors in place for as long as it lives.
  std::shared_ptr<const void> lease() const { return file_.lease(); }

 protected:
  /// Maps the file; throws as MappedFile.
  explicit WeightFile(const std::filesystem::path& path) : file_(path) {}

  std::span<const std::byte> file_bytes() const { return file_.bytes(); }
  /// What the file holds, by ascending name; called once, by the constructor.
  void set_tensors(std::vector<TensorView> tensors);

 private:
  MappedFile file_;
  std::vector<TensorView> tensors_;
};

}  // namespace regroup::models
