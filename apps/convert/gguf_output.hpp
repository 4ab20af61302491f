#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "models/convert/write_gguf.hpp"
#include "models/grouping/grouping_file.hpp"

namespace regroup::apps {

/// What `convert` was asked for with `--format gguf`.
struct GgufOutput {
  std::filesystem::path file;
  std::string dtype;                ///< of --dtype; empty: as the source has it
  bool tokenizer = true;            ///< without --no-tokenizer
  bool overwrites = false;          ///< --force
  std::optional<int> context = {};  ///< of --context; absent: the model's
};

/// Checks the output file and that llama.cpp computes the model. `grouping_file` gives the file its
/// provenance: the names of the grouping, its method and its merge, and its KV size. Throws
/// InputError.
models::GgufPlan check_gguf_output(const GgufOutput& output, const models::PretrainedModel& model,
                                   const models::GroupingFile& grouping,
                                   const std::filesystem::path& grouping_file,
                                   models::Layout layout);

}  // namespace regroup::apps
