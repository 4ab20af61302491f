#pragma once

#include <filesystem>
#include <optional>
#include <stop_token>

#include "models/checkpoint/gguf/gguf_metadata.hpp"
#include "models/elements/ggml_type.hpp"
#include "models/gguf/gguf_architecture.hpp"
#include "models/layouts/layout.hpp"
#include "models/pretrained/pretrained_model.hpp"
#include "search/base/progress.hpp"
#include "search/groupings/grouping.hpp"

namespace regroup::models {

class WeightOverlay;

/// How a GGUF file is written.
struct GgufOptions {
  std::optional<GgmlType> type;  ///< of all matrices; absent: as the source has them
  bool tokenizer = true;         ///< else the file is for token ids alone
  GgufMetadata provenance = {};  ///< what else it says of itself
  /// Longest context that the file states; absent: the model's. Within a window, attention is
  /// whole.
  std::optional<int> context = {};
};

/// A GGUF file that can be written: everything that is known before heads are merged.
struct GgufPlan {
  const GgufArchitecture& architecture;
  Layout layout;
  std::optional<GgmlType> type;
  GgufMetadata metadata;
};

/// Checks that llama.cpp computes the model with this grouping and layout exactly, and cuts text as
/// its tokenizer does. Throws InputError otherwise.
GgufPlan plan_gguf(const PretrainedModel& model, const search::Grouping& grouping, Layout layout,
                   const GgufOptions& options);

/// Writes the converted model as one GGUF file for llama.cpp; one tensor and one layer's attention
/// are in memory at a time. Throws WorkError if writing fails, Interrupted on `stop`. Progress
/// counts tensors.
void write_gguf(const GgufPlan& plan, const PretrainedModel& model, const WeightOverlay& overlay,
                const std::filesystem::path& file, std::stop_token stop,
                search::Progress& progress);

}  // namespace regroup::models
