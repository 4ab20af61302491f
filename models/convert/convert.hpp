#pragma once

#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string_view>
#include <vector>

#include "models/convert/layout.hpp"
#include "models/pretrained_model.hpp"
#include "search/progress.hpp"

namespace regroup::models {

class MergedLayers;

/// How a converted checkpoint is written.
struct ConvertOptions {
  std::uint64_t max_shard_bytes = 5'000'000'000;
};

/// Writes the merged model as a Hugging Face directory: weights in the checkpoint's element types,
/// config.json for the layout, and the source's tokenizer and generation files. One layer is in
/// memory at a time where the names of a layer's tensors sort together, as they do in Hugging Face
/// checkpoints. `directory` must exist; a checkpoint in it is removed first, config.json before all
/// else, so that what an interruption leaves does not read as a model. Throws InputError if the
/// layout cannot hold the grouping, WorkError if writing fails, Interrupted on `stop`. Progress
/// counts tensors.
void convert_checkpoint(const PretrainedModel& model, const MergedLayers& layers, Layout layout,
                        const ConvertOptions& options, const std::filesystem::path& directory,
                        std::stop_token stop, search::Progress& progress);

}  // namespace regroup::models
