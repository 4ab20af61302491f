#include "apps/forward_inputs.hpp"

#include <fmt/format.h>

#include <cstring>
#include <span>
#include <string>

#include "search/base/error.hpp"

namespace regroup::apps {
namespace {

using models::ForwardInput;

template <class Element>
std::vector<std::int32_t> ids_of(const models::TensorView& tensor, int vocabulary) {
  std::vector<std::int32_t> ids(static_cast<std::size_t>(tensor.elements()));
  for (std::size_t i = 0; i < ids.size(); ++i) {
    Element id = 0;
    std::memcpy(&id, tensor.bytes.data() + i * sizeof id, sizeof id);
    if (id < 0 || id >= vocabulary) {
      throw InputError({.what = "token id is outside the vocabulary",
                        .where = fmt::format("{}, element {}", tensor.where(), i),
                        .expected = fmt::format("0 to {}", vocabulary - 1),
                        .found = std::to_string(id)});
    }
    ids[i] = static_cast<std::int32_t>(id);
  }
  return ids;
}

std::vector<std::int32_t> read_ids(const models::TensorView& tensor, int vocabulary) {
  if (tensor.dtype == models::DType::kI64) return ids_of<std::int64_t>(tensor, vocabulary);
  if (tensor.dtype == models::DType::kI32) return ids_of<std::int32_t>(tensor, vocabulary);
  throw InputError({.what = "token ids have an element type that is not supported",
                    .where = tensor.where(),
                    .expected = "I64 or I32",
                    .found = std::string(models::safetensors_name(tensor.dtype))});
}

/// Hands each row of `values` to one input; the first tensor says how many inputs there are.
template <class Value>
void fill(std::vector<ForwardInput>& inputs, const models::TensorView& tensor,
          const std::vector<Value>& values, std::vector<Value> ForwardInput::*member) {
  const auto rows = static_cast<std::size_t>(tensor.shape[0]);
  if (inputs.empty()) inputs.resize(rows);
  if (inputs.size() != rows) {
    throw InputError({.what = "inputs are not batches of one size",
                      .where = tensor.where(),
                      .expected = std::to_string(inputs.size()),
                      .found = std::to_string(rows)});
  }
  const std::size_t step = values.size() / rows;
  for (std::size_t i = 0; i < rows; ++i) {
    const auto own = std::span(values).subspan(i * step, step);
    (inputs[i].*member).assign(own.begin(), own.end());
  }
}

void add_ids(const models::SafetensorsFile& file, const char* name,
             const models::ModelConfig& config, std::vector<std::int32_t> ForwardInput::*member,
             std::vector<ForwardInput>& inputs) {
  const models::TensorView& tensor = file.tensor(name);
  const bool is_batch = tensor.shape.size() == 2 && tensor.shape[0] > 0 && tensor.shape[1] > 0 &&
                        tensor.shape[1] <= config.context;
  if (!is_batch) {
    throw InputError({.what = "input does not have the shape of a batch of sequences",
                      .where = tensor.where(),
                      .expected = fmt::format("[sequences, 1 to {} tokens]", config.context),
                      .found = models::shape_text(tensor.shape)});
  }
  fill(inputs, tensor, read_ids(tensor, config.vocabulary), member);
}

void add_pixels(const models::SafetensorsFile& file, const models::ModelConfig& config,
                std::vector<ForwardInput>& inputs) {
  const models::TensorView& tensor = file.tensor("pixel_values");
  const models::ImageConfig& image = config.image;
  const bool is_batch = tensor.shape.size() == 4 && tensor.shape[0] > 0 &&
                        tensor.shape[1] == image.channels && tensor.shape[2] == image.size &&
                        tensor.shape[3] == image.size;
  if (!is_batch) {
    throw InputError(
        {.what = "input does not have the shape of a batch of images",
         .where = tensor.where(),
         .expected = fmt::format("[images, {}, {}, {}]", image.channels, image.size, image.size),
         .found = models::shape_text(tensor.shape)});
  }
  models::require_weight_dtype(tensor);
  fill(inputs, tensor, models::to_floats(tensor), &ForwardInput::pixels);
}

void add_features(const models::SafetensorsFile& file, const models::ModelConfig& config,
                  std::vector<ForwardInput>& inputs) {
  const models::TensorView& tensor = file.tensor("input_features");
  const models::SpeechConfig& speech = config.speech;
  const bool is_batch = tensor.shape.size() == 3 && tensor.shape[0] > 0 &&
                        tensor.shape[1] == speech.bands && tensor.shape[2] == speech.frames;
  if (!is_batch) {
    throw InputError({.what = "input does not have the shape of a batch of sounds",
                      .where = tensor.where(),
                      .expected = fmt::format("[sounds, {}, {}]", speech.bands, speech.frames),
                      .found = models::shape_text(tensor.shape)});
  }
  models::require_weight_dtype(tensor);
  fill(inputs, tensor, models::to_floats(tensor), &ForwardInput::features);
}

}  // namespace

std::vector<ForwardInput> read_forward_inputs(const models::SafetensorsFile& file,
                                              const models::ModelConfig& config) {
  std::vector<ForwardInput> inputs;
  if (config.kind == models::ModelKind::kImage) {
    add_pixels(file, config, inputs);
    return inputs;
  }
  if (config.kind == models::ModelKind::kSpeech) {
    add_features(file, config, inputs);
  } else {
    add_ids(file, "input_ids", config, &ForwardInput::ids, inputs);
  }
  if (has_decoder(config.kind)) {
    add_ids(file, "decoder_input_ids", config, &ForwardInput::decoder_ids, inputs);
  }
  return inputs;
}

}  // namespace regroup::apps
