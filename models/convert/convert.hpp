#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <optional>
#include <stop_token>
#include <string>

#include "models/elements/dtype.hpp"
#include "models/layouts/layout.hpp"
#include "models/pretrained/pretrained_model.hpp"
#include "search/base/progress.hpp"

namespace regroup::models {

class WeightOverlay;

/// How a converted checkpoint is written.
struct ConvertOptions {
  std::uint64_t max_shard_bytes = std::numeric_limits<std::uint64_t>::max();
  std::optional<DType> dtype;  ///< F32, F16 or BF16 of all weights; absent: as the source has them
  std::string model_card;      ///< text of README.md; empty: none is written
  /// Files by their names that stand for those which a GGUF file has not beside it.
  std::map<std::string, std::string> made_files = {};
};

/// Writes the model under an overlay as a Hugging Face directory: weights rounded to the
/// checkpoint's element types, config.json for the layout, the model code where layers have their
/// own numbers of heads, the model card, and the source's tokenizer and generation files. One layer
/// is in memory at a time where the names of a layer's tensors sort together, as they do in Hugging
/// Face checkpoints. `directory` must exist; a checkpoint in it is removed first, config.json
/// before all else, so that what an interruption leaves does not read as a model. Throws InputError
/// if the layout cannot hold the overlay's heads or the model lacks one of its names, WorkError if
/// writing fails, Interrupted on `stop`. Progress counts tensors.
void convert_checkpoint(const PretrainedModel& model, const WeightOverlay& overlay, Layout layout,
                        const ConvertOptions& options, const std::filesystem::path& directory,
                        std::stop_token stop, search::Progress& progress);

}  // namespace regroup::models
