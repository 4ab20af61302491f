#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "models/checkpoint/gguf/gguf_metadata.hpp"
#include "models/elements/ggml_type.hpp"

// Written here because ggml, which writes such files, is not in Debian 12 and wants all tensors in
// memory at once.
namespace regroup::models {

/// A tensor of a GGUF file: what it is, and how to make its bytes when its turn comes.
struct GgufTensor {
  std::string name;  ///< "blk.0.attn_q.weight"
  GgmlType type = GgmlType::kF32;
  std::vector<std::int64_t> shape;  ///< row-major; the file says it the other way round
  /// Fills all of `out`, tensor_bytes(type, shape) bytes. Called once; what it throws ends the
  /// writing.
  std::function<void(std::span<std::byte> out)> fill;
};

/// Writes a GGUF file, version 3, little-endian (ggml's docs/gguf.md): metadata, then the tensors
/// in their order, each beginning at a multiple of 32 bytes. The bytes of one tensor are in memory
/// at a time; the file has its name only when it is complete. Equal arguments give equal bytes.
/// Throws WorkError: the disk, a key or tensor that stands twice, a shape that the type cannot
/// store.
void write_gguf_file(const std::filesystem::path& path, const GgufMetadata& metadata,
                     std::span<const GgufTensor> tensors);

}  // namespace regroup::models
