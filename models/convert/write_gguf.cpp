#include "models/convert/write_gguf.hpp"

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "models/convert/converted_model.hpp"
#include "models/convert/gguf_tensors.hpp"
#include "models/gguf/gguf_model_metadata.hpp"
#include "models/gguf/tokenizer_metadata.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

void append(GgufMetadata& metadata, GgufMetadata more) {
  for (GgufEntry& entry : more) metadata.push_back(std::move(entry));
}

int checked_context(int context, const ModelConfig& config) {
  if (context >= 1 && context <= config.context) return context;
  throw InputError({.what = "context is not one of the model's",
                    .where = "--context",
                    .expected = fmt::format("from 1 to {} tokens", config.context),
                    .found = std::to_string(context)});
}

/// Has every tensor, when its turn comes, look for the end of the work and count itself.
void watch(std::vector<GgufTensor>& tensors, const std::stop_token& stop,
           search::Progress& progress) {
  for (GgufTensor& tensor : tensors) {
    tensor.fill = [fill = std::move(tensor.fill), stop, &progress](std::span<std::byte> out) {
      if (stop.stop_requested()) throw Interrupted();
      fill(out);
      progress.advance(1);
    };
  }
}

}  // namespace

GgufPlan plan_gguf(const PretrainedModel& model, const search::Grouping& grouping, Layout layout,
                   const GgufOptions& options) {
  const ModelHeadMaps maps = head_maps(grouping, model.config);
  require_holds(layout, maps, model.config);
  if (layout == Layout::kFree) {
    throw InputError({.what = "model cannot be written as GGUF: llama.cpp would not compute it",
                      .where = "--layout",
                      .expected = "groups of one width in all layers, or --format hf",
                      .found = "widths and rotary frequencies that layers have of their own"});
  }
  const std::vector<LayerHeads> heads = stored_heads(layout, maps, model.config);
  ModelConfig config = model.config;
  if (options.context) config.context = checked_context(*options.context, config);
  const GgufArchitecture& architecture = gguf_architecture(config, heads);
  const GgmlType stored = options.type.value_or(ggml_type_of(model.dtype));
  GgufPlan plan{architecture, layout, options.type,
                gguf_model_metadata(model.name(), config, heads, architecture, stored)};
  append(plan.metadata, options.provenance);
  append(plan.metadata, options.tokenizer ? gguf_tokenizer(model) : gguf_without_tokenizer());
  return plan;
}

void write_gguf(const GgufPlan& plan, const PretrainedModel& model, const WeightOverlay& overlay,
                const std::filesystem::path& file, std::stop_token stop,
                search::Progress& progress) {
  ConvertedModel converted(model, overlay, plan.layout);
  std::vector<GgufTensor> tensors = gguf_tensors(converted, plan.architecture, plan.type);
  progress.begin("writing tensors", tensors.size(), "tensors");
  watch(tensors, stop, progress);
  write_gguf_file(file, plan.metadata, tensors);
  progress.end();
}

}  // namespace regroup::models
