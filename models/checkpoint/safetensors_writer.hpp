#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "models/elements/dtype.hpp"

namespace regroup::models {

class Sha256;

/// A tensor to be written: what it is, and how to make its bytes when its turn comes.
struct PlannedTensor {
  std::string name;
  DType dtype = DType::kF32;
  std::vector<std::int64_t> shape;  ///< row-major
  /// Fills all of `out`, tensor_bytes(dtype, shape) bytes that begin as zeros and are aligned for
  /// any element type, with little-endian elements. Called once; what it throws ends the writing.
  std::function<void(std::span<std::byte> out)> fill;
};

/// A tensor whose bytes exist already; `bytes` must live until it is written.
PlannedTensor planned_copy(std::string name, DType dtype, std::vector<std::int64_t> shape,
                           std::span<const std::byte> bytes);

struct SafetensorsOptions {
  /// The header's `__metadata__`; transformers reads only files that say "format": "pt".
  std::map<std::string, std::string> metadata = {{"format", "pt"}};
  /// Most bytes of tensors in one file; a single tensor that has more gets a file of its own.
  std::uint64_t max_shard_bytes = std::numeric_limits<std::uint64_t>::max();
  /// Where temporary files stand, on the same file system; empty: beside the final ones.
  std::filesystem::path temporary_directory = {};
  /// Gets every byte of the file as it is written; null: none. Of one file only.
  Sha256* digest = nullptr;
};

/// Writes one safetensors file, holding one tensor's bytes in memory at a time. Within the file the
/// tensors stand as the reference implementation puts them, and `fill` is called in that order: by
/// descending DType, then by name. Equal plans give equal bytes. Throws WorkError: the disk, a name
/// that stands twice or is no UTF-8, a shape without a size.
void write_safetensors_file(const std::filesystem::path& path,
                            std::span<const PlannedTensor> tensors,
                            const SafetensorsOptions& options = {});

/// Writes a checkpoint's weights into an existing directory: `model.safetensors` when they fit into
/// one file, else `model-00001-of-0000N.safetensors`, … and `model.safetensors.index.json`. The
/// shards are filled in the order of `tensors`, each file as write_safetensors_file does it.
///
/// No file gets its final name before all are complete on disk, the index last; when that fails
/// midway the shards already renamed are removed. Other files in the directory stay, also weight
/// files of another number of shards. Returns the file names in name order, the index after the
/// shards. Throws WorkError as write_safetensors_file, and what `fill` throws.
std::vector<std::string> write_checkpoint_weights(const std::filesystem::path& directory,
                                                  std::span<const PlannedTensor> tensors,
                                                  const SafetensorsOptions& options = {});

}  // namespace regroup::models
