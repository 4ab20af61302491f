#include "models/language_model/merged_layers.hpp"

#include <fmt/format.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "models/overlay/weight_overlay.hpp"
#include "models/tensors/tensors.hpp"
#include "models/training/state_tensors.hpp"

namespace regroup::models {
namespace {

/// One layer, its parts in these element types.
MergedAttention read_layer(const StoredTensors& kept, int layer, const LayerHeadMaps& maps,
                           const std::vector<DType>& types) {
  MergedAttention merged{{}, maps.keys, maps.values, maps.widths, {}};
  for (std::size_t i = 0; i < kAttentionParts.size(); ++i) {
    const AttentionPart& part = kAttentionParts[i];
    const at::Tensor own = kept.read(fmt::format("{}.{}", layer, part.name));
    if (own.defined()) merged.weights.*part.member = own.to(scalar_type(types[i]));
  }
  const at::Tensor frequencies = kept.read(fmt::format("{}.frequencies", layer));
  for (std::int64_t i = 0; frequencies.defined() && i < frequencies.numel(); ++i) {
    merged.key_frequencies.push_back(static_cast<int>(frequencies[i].item<double>()));
  }
  return merged;
}

}  // namespace

void write_merged(const std::filesystem::path& file, const PretrainedModel& model,
                  const WeightOverlay& overlay, const std::string& notes,
                  const std::filesystem::path& temporary_directory) {
  std::map<std::string, at::Tensor> tensors;
  for (int layer = 0; layer < model.config.layers; ++layer) {
    const OverlaidHeads* heads = overlay.heads(layer);
    if (heads == nullptr) continue;
    const MergedAttention merged = heads->make();
    for (const AttentionPart& part : kAttentionParts) {
      const at::Tensor& tensor = merged.weights.*part.member;
      if (tensor.defined()) tensors[fmt::format("{}.{}", layer, part.name)] = tensor;
    }
    const std::vector<std::int64_t> frequencies(merged.key_frequencies.begin(),
                                                merged.key_frequencies.end());
    if (!frequencies.empty()) {
      tensors[fmt::format("{}.frequencies", layer)] = at::tensor(frequencies, at::kLong);
    }
  }
  write_tensors(file, tensors, notes, temporary_directory);
}

KeptLayers read_merged(const std::filesystem::path& file, const PretrainedModel& model,
                       const search::Grouping& grouping) {
  const auto kept = std::make_shared<const StoredTensors>(file);
  const ModelHeadMaps maps = head_maps(grouping, model.config);
  auto overlay = std::make_shared<WeightOverlay>();
  for (int layer = 0; layer < model.config.layers; ++layer) {
    if (!kept->contains(fmt::format("{}.key.weight", layer))) continue;
    const LayerHeadMaps own = maps[static_cast<std::size_t>(layer)];
    std::vector<DType> types;
    for (const AttentionPart& part : kAttentionParts) {
      types.push_back(has_part(model.config, part) ? part_tensor(model, layer, part).dtype
                                                   : DType::kF32);
    }
    overlay->set_heads(
        layer, {own, [kept, layer, own, types] { return read_layer(*kept, layer, own, types); }});
  }
  return {std::move(overlay), kept->notes()};
}

}  // namespace regroup::models
