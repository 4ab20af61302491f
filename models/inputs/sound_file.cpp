#include <fmt/format.h>

#include <cstring>

#include "models/checkpoint/safetensors.hpp"
#include "models/files/mapped_file.hpp"
#include "models/files/sha256.hpp"
#include "models/inputs/dataset.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

[[noreturn]] void refuse(const TensorView& tensor, std::string expected, std::string found) {
  throw InputError({.what = "tensor does not hold what the model reads",
                    .where = tensor.where(),
                    .expected = std::move(expected),
                    .found = std::move(found)});
}

/// The ids of each row up to the first negative one.
std::vector<std::vector<std::int32_t>> read_targets(const TensorView& labels, std::size_t sounds,
                                                    const ModelConfig& config) {
  const bool fits = labels.dtype == DType::kI64 && labels.shape.size() == 2 &&
                    labels.shape[0] == static_cast<std::int64_t>(sounds);
  if (!fits) refuse(labels, fmt::format("I64 [{}, tokens]", sounds), shape_text(labels.shape));
  const auto length = static_cast<std::size_t>(labels.shape[1]);
  std::vector<std::vector<std::int32_t>> targets(sounds);
  for (std::size_t i = 0; i < sounds * length; ++i) {
    std::int64_t id = 0;
    std::memcpy(&id, labels.bytes.data() + i * sizeof id, sizeof id);
    if (id >= config.vocabulary) {
      refuse(labels, fmt::format("ids below {}", config.vocabulary), std::to_string(id));
    }
    std::vector<std::int32_t>& own = targets[i / length];
    const bool has_ended = own.size() < i % length;
    if (id >= 0 && !has_ended) own.push_back(static_cast<std::int32_t>(id));
  }
  for (const std::vector<std::int32_t>& target : targets) {
    const bool fits_model = !target.empty() && std::cmp_less_equal(target.size(), config.context);
    if (!fits_model) {
      refuse(labels, fmt::format("targets of 1 to {} tokens", config.context),
             std::to_string(target.size()));
    }
  }
  return targets;
}

}  // namespace

bool holds_sounds(const std::filesystem::path& file) {
  return SafetensorsFile(file).find("input_features") != nullptr;
}

PairFile read_sound_file(const std::filesystem::path& file, const PretrainedModel& model) {
  const SafetensorsFile tensors(file);
  const TensorView& features = tensors.tensor("input_features");
  const SpeechConfig& speech = model.config.speech;
  const bool fits = features.shape.size() == 3 && features.shape[0] > 0 &&
                    features.shape[1] == speech.bands && features.shape[2] == speech.frames;
  if (!fits) {
    refuse(features, fmt::format("[sounds, {}, {}]", speech.bands, speech.frames),
           shape_text(features.shape));
  }
  require_weight_dtype(features);
  const auto sounds = static_cast<std::size_t>(features.shape[0]);
  const std::vector<float> all = to_floats(features);
  auto targets = read_targets(tensors.tensor("labels"), sounds, model.config);
  PairFile result{sha256_hex(MappedFile(file).bytes()), {}};
  const std::size_t step = all.size() / sounds;
  for (std::size_t i = 0; i < sounds; ++i) {
    const auto own = std::span(all).subspan(i * step, step);
    result.pairs.push_back({{}, std::move(targets[i]), {own.begin(), own.end()}});
  }
  return result;
}

}  // namespace regroup::models
