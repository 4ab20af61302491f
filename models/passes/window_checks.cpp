#include "models/passes/window_checks.hpp"

#include <fmt/format.h>

#include <cmath>

#include "search/base/error.hpp"

namespace regroup::models {
namespace {

const char* data_of(WindowKind kind) {
  switch (kind) {
    case WindowKind::kPairs:
      return "pairs of source and target (.jsonl)";
    case WindowKind::kImages:
      return "images";
    case WindowKind::kTexts:
      return "texts with their classes (.jsonl)";
    default:
      return "text or token ids";
  }
}

}  // namespace

void require_ids(std::span<const std::int32_t> ids, const ModelConfig& config) {
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (ids[i] >= 0 && ids[i] < config.vocabulary) continue;
    throw InputError({.what = "token id is outside the model's vocabulary",
                      .where = fmt::format("token {}", i),
                      .expected = fmt::format("0 to {}", config.vocabulary - 1),
                      .found = std::to_string(ids[i])});
  }
}

void require_class(std::int32_t label, const ModelConfig& config) {
  if (label >= 0 && label < std::ssize(config.labels)) return;
  throw InputError({.what = "class is not one of the model's",
                    .expected = fmt::format("0 to {}", std::ssize(config.labels) - 1),
                    .found = std::to_string(label)});
}

void require_length(std::size_t length, const ModelConfig& config) {
  if (length >= 1 && length <= static_cast<std::size_t>(config.context)) return;
  throw InputError({.what = "input length does not fit the model's context",
                    .expected = fmt::format("1 to {} tokens", config.context),
                    .found = std::to_string(length)});
}

void require_kind(WindowKind kind, const ModelConfig& config) {
  if (kind == window_kind(config.kind)) return;
  throw InputError({.what = "data are not what the model reads",
                    .where = config.architecture,
                    .expected = data_of(window_kind(config.kind)),
                    .found = data_of(kind)});
}

void require_classes(const ModelConfig& config) {
  if (has_classes(config.kind)) return;
  throw InputError({.what = "the model does not find classes",
                    .where = config.architecture,
                    .expected = "a classifier of images or texts"});
}

void require_targets(const ModelConfig& config) {
  const bool has_none =
      config.kind == ModelKind::kMasked || has_decoder(config.kind) || !config.has_head;
  if (!has_none) return;
  throw InputError({.what =
                        "the model has no loss of its own on these data, only a divergence from "
                        "its source",
                    .where = config.architecture,
                    .expected = "--task divergence"});
}

void require_input(const ForwardInput& input, const ModelConfig& config) {
  const auto require = [&](bool is_there, bool is_read, const char* name) {
    if (is_there == is_read) return;
    throw InputError({.what = is_read ? "input that the model reads is missing"
                                      : "input is not what the model reads",
                      .where = name,
                      .expected = data_of(window_kind(config.kind))});
  };
  const bool is_image = config.kind == ModelKind::kImage;
  const bool is_speech = config.kind == ModelKind::kSpeech;
  require(!input.pixels.empty(), is_image, "pixel_values");
  require(!input.features.empty(), is_speech, "input_features");
  require(!input.ids.empty(), !is_image && !is_speech, "input_ids");
  require(!input.decoder_ids.empty(), has_decoder(config.kind), "decoder_input_ids");
  const std::size_t features = static_cast<std::size_t>(config.speech.bands) *
                               static_cast<std::size_t>(config.speech.frames);
  if (input.features.size() != features) {
    throw InputError({.what = "features of a sound have another size than the model reads",
                      .expected = fmt::format("{} numbers", features),
                      .found = std::to_string(input.features.size())});
  }
  const ImageConfig& image = config.image;
  const std::size_t pixels = static_cast<std::size_t>(image.channels) *
                             static_cast<std::size_t>(image.size) *
                             static_cast<std::size_t>(image.size);
  if (input.pixels.size() != pixels) {
    throw InputError({.what = "image has another size than the model reads",
                      .expected = fmt::format("{} numbers", pixels),
                      .found = std::to_string(input.pixels.size())});
  }
  for (const auto* ids : {&input.ids, &input.decoder_ids}) {
    if (ids->empty()) continue;
    require_ids(*ids, config);
    require_length(ids->size(), config);
  }
}

void require_windows(const Windows& windows, const ModelConfig& config) {
  require_kind(windows.kind(), config);
  if (windows.kind() == WindowKind::kImages) return;
  require_length(static_cast<std::size_t>(windows.context()), config);
  require_ids(windows.ids(), config);
  const std::size_t features = static_cast<std::size_t>(config.speech.bands) *
                               static_cast<std::size_t>(config.speech.frames);
  for (const TokenPair& pair : windows.pairs()) {
    if (pair.features.size() != features) {
      throw InputError({.what = "features of a sound have another size than the model reads",
                        .where = config.architecture,
                        .expected = fmt::format("{} numbers", features),
                        .found = std::to_string(pair.features.size())});
    }
    require_ids(pair.source, config);
    if (windows.kind() == WindowKind::kPairs) require_ids(pair.target, config);
    if (windows.kind() == WindowKind::kTexts) require_class(pair.target.front(), config);
  }
}

void require_finite_loss(double loss, const PretrainedModel& model) {
  if (std::isfinite(loss)) return;
  throw WorkError({.what = "the model's loss is not a finite number",
                   .where = model.name(),
                   .found = fmt::format("{}", loss)});
}

}  // namespace regroup::models
