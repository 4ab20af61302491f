#pragma once

#include <ATen/ATen.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "models/checkpoint/safetensors.hpp"

namespace regroup::models {

/// Named tensors in one file, for what is gone on from: numbers of 16 and 32 bits and float64 as
/// they are, integers as float64. `notes` is a text that goes with them. Appears complete or not at
/// all. Throws WorkError.
void write_tensors(const std::filesystem::path& file,
                   const std::map<std::string, at::Tensor>& tensors, const std::string& notes,
                   const std::filesystem::path& temporary_directory);

/// Such a file, opened: tensors are read when they are asked for. Thread-safe.
class StoredTensors {
 public:
  /// Throws InputError for another file.
  explicit StoredTensors(const std::filesystem::path& file);

  const std::string& notes() const { return file_.metadata().at("notes"); }
  std::vector<std::string> names() const { return file_.names(); }
  bool contains(const std::string& name) const { return file_.find(name) != nullptr; }
  /// A copy; undefined: there is none of that name.
  at::Tensor read(const std::string& name) const;

 private:
  SafetensorsFile file_;
};

struct TensorFile {
  std::map<std::string, at::Tensor> tensors;
  std::string notes;
};
/// Reads such a file. Throws InputError for another one.
TensorFile read_tensors(const std::filesystem::path& file);

}  // namespace regroup::models
