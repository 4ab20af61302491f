#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "models/checkpoint/gguf/gguf_metadata.hpp"
#include "models/elements/ggml_type.hpp"

namespace regroup::models {

/// A tensor of a GGUF file as the file says it.
struct GgufTensorPlace {
  GgmlType type = GgmlType::kF32;
  std::vector<std::int64_t> shape;   ///< row-major, outermost dimension first
  std::span<const std::byte> bytes;  ///< tensor_bytes(type, shape) of the file's
};

/// What stands in a GGUF file before its numbers, and where those are.
struct GgufHeader {
  GgufMetadata metadata;
  std::map<std::string, GgufTensorPlace, std::less<>> tensors;  ///< by the file's names
};

/// Reads the header of a GGUF file of version 2 or 3, little-endian (ggml's docs/gguf.md); `where`
/// names the file. Nothing outside of `file` is read, and no more memory is taken than a few times
/// the header's bytes. Throws InputError: another version or byte order, what reaches past the end,
/// keys or tensors that stand twice, arrays of arrays, types of values and tensors that are not
/// known, shapes that a type cannot store, and tensors that do not stand one after another.
GgufHeader read_gguf_header(std::span<const std::byte> file, const std::string& where);

/// The metadata alone, of a file. Throws InputError as read_gguf_header.
GgufMetadata read_gguf_metadata(const std::filesystem::path& file);

/// Whether `path` is a file, and not a directory, that is called *.gguf or begins as such files do.
bool is_gguf_file(const std::filesystem::path& path);

}  // namespace regroup::models
