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
  const TensorFile kept = read_tensors(file);
  const ModelHeadMaps maps = head_maps(grouping, model.config);
  auto overlay = std::make_shared<WeightOverlay>();
  for (int layer = 0; layer < model.config.layers; ++layer) {
    const auto at = static_cast<std::size_t>(layer);
    if (!kept.tensors.contains(fmt::format("{}.key.weight", layer))) continue;
    MergedAttention merged{{}, maps[at].keys, maps[at].values, maps[at].widths, {}};
    for (const AttentionPart& part : kAttentionParts) {
      const auto found = kept.tensors.find(fmt::format("{}.{}", layer, part.name));
      if (found == kept.tensors.end()) continue;
      const DType type = part_tensor(model, layer, part).dtype;
      merged.weights.*part.member = found->second.to(scalar_type(type));
    }
    const auto frequencies = kept.tensors.find(fmt::format("{}.frequencies", layer));
    if (frequencies != kept.tensors.end()) {
      const double* numbers = frequencies->second.const_data_ptr<double>();
      for (std::int64_t i = 0; i < frequencies->second.numel(); ++i) {
        merged.key_frequencies.push_back(static_cast<int>(numbers[i]));
      }
    }
    overlay->set_heads(layer, merged);
  }
  return {std::move(overlay), kept.notes};
}

}  // namespace regroup::models
