#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "models/calibration/moment_store.hpp"
#include "models/inputs/windows.hpp"
#include "models/layers/layer_moments.hpp"
#include "models/pretrained/pretrained_model.hpp"
#include "search/base/random.hpp"

namespace regroup::models {

/// What is known of a source model's activations on some text: moments that merges and prices read,
/// and the text itself, on which refits run.
struct Calibration {
  std::vector<LayerMoments> layers;  ///< in memory, or empty where `store` has them
  Windows windows;
  std::string data_sha256;  ///< of the file that the text came from, or of sampled ids
  std::string labels;  ///< name of the key that drew the gradients' labels; empty: no gradients
  std::shared_ptr<const MomentStore> store = {};

  /// Those of one layer: what `layers` has, which must then outlive it, or what is read anew.
  std::shared_ptr<const LayerMoments> moments(std::size_t layer) const;
  bool has_gradients() const;
};

/// What tells keys of labels apart in a file; empty for none.
std::string label_name(const std::optional<search::RandomKey>& key);

/// Writes a calibration file (docs/formats.md): safetensors with the moments in F64, of wide models
/// in F32, the ids in I32, and for other tools what follows from moments and weights: Grams,
/// cosines and norms of key and value heads, query energies of rotary planes. Equal arguments give
/// equal bytes. Returns the file's SHA-256, made while it is written. Throws WorkError.
std::string write_calibration(const std::filesystem::path& file, const Calibration& calibration,
                              const PretrainedModel& model,
                              const std::filesystem::path& temporary_directory = {});

/// Moments that fill more bytes stay in their file.
inline constexpr double kMostMomentBytes = 1024.0 * 1024 * 1024;

/// Reads a calibration file of `model`. What is too much for memory stays in the file, which is
/// mapped, and is read layer by layer when it is asked for. Throws InputError for a file of another
/// kind or another model's, and for missing, misshapen or not finite tensors.
Calibration read_calibration(const std::filesystem::path& file, const PretrainedModel& model,
                             double most_bytes = kMostMomentBytes);

/// Whether the file calls itself a calibration file.
bool is_calibration_file(const std::filesystem::path& file);

}  // namespace regroup::models
