#include "runs/inputs/spared_memory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>

#include "models/files/scratch.hpp"
#include "runs/base/cache_setting.hpp"
#include "runs/base/process_memory.hpp"
#include "search/base/error.hpp"

namespace regroup::runs {
namespace {

/// Bytes of all weights in the computation's type.
double weight_bytes(const models::PretrainedModel& model, models::DType type) {
  double elements = 0;
  for (const std::string& name : model.checkpoint.names()) {
    elements += static_cast<double>(model.checkpoint.tensor(name).elements());
  }
  return elements * static_cast<double>(models::byte_width(type));
}

/// Bytes of one layer's attention weights as they are stored.
double attention_bytes(const models::ModelConfig& config, models::DType type) {
  const double inner = static_cast<double>(config.query_heads) * config.head_dim;
  const double stored = static_cast<double>(config.kv_heads) * config.head_dim;
  return 2 * (inner + stored) * config.width * static_cast<double>(models::byte_width(type));
}

/// The most that the scratch may hold at a time.
double scratch_bytes(const models::PretrainedModel& model, const models::ComputeOptions& compute,
                     const ScratchNeeds& needs) {
  const models::ModelConfig& config = model.config;
  const auto number = static_cast<double>(models::byte_width(compute.dtype));
  const double stream = static_cast<double>(needs.tokens.value_or(0)) * config.width * number;
  const double square = static_cast<double>(config.width) * config.width;
  const double inner = static_cast<double>(config.kv_heads) * config.head_dim;
  // The source's attention, and a stream on its way.
  double by_layer = attention_bytes(config, model.dtype);
  double all = 2 * stream;
  if (needs.calibrates) by_layer += 4 * square * sizeof(double) + stream;
  if (needs.prices) by_layer += 2 * inner * inner * sizeof(double);
  if (needs.merges) {
    // Those of a conversion; what its fits see of one layer.
    by_layer += 2 * attention_bytes(config, model.dtype) + (needs.calibrates ? 0 : stream);
    all += 8 * stream;
  }
  return all + by_layer * config.layers;
}

/// The nearest directory that is there.
std::filesystem::path existing_directory(std::filesystem::path path) {
  std::error_code error;
  path = std::filesystem::absolute(path);
  while (!std::filesystem::is_directory(path, error) && path.has_relative_path()) {
    path = path.parent_path();
  }
  return path;
}

}  // namespace

models::ComputeOptions spared_memory(models::ComputeOptions compute,
                                     const models::PretrainedModel& model,
                                     const ScratchPlace& place, const ScratchNeeds& needs,
                                     const RunLog& log) {
  const bool is_asked = !place.asked.empty();
  if (compute.device.cuda) {
    if (!is_asked) return compute;
    throw InputError({.what = "scratch is for computing in main memory",
                      .where = "--scratch",
                      .expected = "--device cpu, or --device-memory"});
  }
  const double memory = process_memory();
  const double weights = weight_bytes(model, compute.dtype);
  if (!is_asked && weights <= memory / 2) return compute;
  const std::filesystem::path directory =
      is_asked ? std::filesystem::path(place.asked) : existing_directory(place.fallback);
  compute.scratch = std::make_shared<const models::Scratch>(directory);
  const double bytes = scratch_bytes(model, compute, needs);
  std::error_code error;
  const std::filesystem::space_info space = std::filesystem::space(directory, error);
  const bool has_room = error || static_cast<double>(space.available) >= bytes;
  log.log(fmt::format(
      "Weights would take {} of {} of memory: they stay in their file, layers are in memory while "
      "they are at work, and {} {} of scratch in {}{}.",
      size_text(weights), size_text(memory), needs.tokens ? "up to" : "for its text more than",
      size_text(bytes), directory.string(),
      has_room ? ""
               : fmt::format(", where only {} is free",
                             size_text(static_cast<double>(space.available)))));
  return compute;
}

}  // namespace regroup::runs
