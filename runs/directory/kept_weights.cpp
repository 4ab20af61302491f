#include "runs/directory/kept_weights.hpp"

#include <nlohmann/json.hpp>
#include <utility>

#include "models/files/sha256.hpp"
#include "models/language_model/merged_layers.hpp"
#include "runs/base/output_directory.hpp"

namespace regroup::runs {
namespace {

namespace fs = std::filesystem;

constexpr const char* kExtension = ".safetensors";

}  // namespace

KeptWeights::KeptWeights(fs::path run, const models::PretrainedModel& model,
                         std::string calibration_sha256)
    : run_(std::move(run)), model_(model), calibration_sha256_(std::move(calibration_sha256)) {}

void KeptWeights::want(const search::Grouping& grouping, const models::MergeRecipe& recipe) {
  wanted_.insert(fitness::grouping_content(grouping, recipe));
}

fs::path KeptWeights::file_of(const std::string& content) const {
  return run_ / kWeightsFolder / (models::sha256_hex(content) + kExtension);
}

std::string KeptWeights::notes(const std::string& content) const {
  return nlohmann::ordered_json{{"calibration", calibration_sha256_}, {"content", content}}.dump();
}

std::shared_ptr<const models::WeightOverlay> KeptWeights::recall(
    const search::Grouping& grouping, const models::MergeRecipe& recipe) const {
  const std::string content = fitness::grouping_content(grouping, recipe);
  const fs::path file = file_of(content);
  if (!fs::exists(file)) return nullptr;
  models::KeptLayers kept = models::read_merged(file, model_, grouping);
  return kept.notes == notes(content) ? std::move(kept.layers) : nullptr;
}

void KeptWeights::keep(const search::Grouping& grouping, const models::MergeRecipe& recipe,
                       const models::WeightOverlay& layers) const {
  const std::string content = fitness::grouping_content(grouping, recipe);
  if (!wanted_.contains(content)) return;
  make_directory(run_ / kWeightsFolder);
  models::write_merged(file_of(content), model_, layers, notes(content), run_ / "state");
}

double kept_bytes(const models::PretrainedModel& model) {
  const models::ModelConfig& config = model.config;
  const double heads = 2.0 * (config.query_heads + config.kv_heads);
  const models::DType type = model.weight_tensor(0, models::AttentionRole::kKey).dtype;
  return heads * config.head_dim * config.width * config.layers *
         static_cast<double>(models::byte_width(type));
}

bool is_kept_weights(const fs::path& file) {
  const std::string name = file.stem().string();
  return file.extension() == kExtension && name.size() == 64 &&
         name.find_first_not_of("0123456789abcdef") == std::string::npos;
}

}  // namespace regroup::runs
