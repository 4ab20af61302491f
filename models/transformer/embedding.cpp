#include "models/transformer/embedding.hpp"

#include "models/tensors/tensors.hpp"
#include "models/transformer/sinusoid.hpp"

namespace regroup::models {

Embedding::Embedding(ModuleReader& reader, Side side) {
  const ModelKind kind = reader.config().kind;
  if (kind == ModelKind::kImage) {
    read_images(reader);
  } else if (kind == ModelKind::kSpeech && side == Side::kInput) {
    read_sounds(reader);
  } else {
    read_tokens(reader, side);
  }
}

Embedding::Kernel Embedding::read_kernel(ModuleReader& reader, std::string_view module) {
  return {reader.weight(module), reader.tensor(std::string(module) + ".bias")};
}

void Embedding::read_images(ModuleReader& reader) {
  const ModelModules& names = reader.model().spec.model;
  patch_ = read_kernel(reader, names.patches);
  class_token_ = reader.tensor(names.class_token);
  image_positions_ = reader.tensor(names.image_positions);
}

void Embedding::read_sounds(ModuleReader& reader) {
  const ModelModules& names = reader.model().spec.model;
  sound_ = read_kernel(reader, names.sound_convolution);
  sound_reduction_ = read_kernel(reader, names.sound_reduction);
  positions_ = reader.weight(names.positions);
  // The head of a speech model shares the target's table.
  table_ = reader.table(names.embedding);
}

void Embedding::read_tokens(ModuleReader& reader, Side side) {
  const ModelModules& names = reader.model().spec.model;
  const ModelConfig& config = reader.config();
  const bool is_target = side == Side::kTarget;
  table_ = reader.table(names.embedding);
  type_ = scalar_type(reader.options().dtype);
  scale_ = config.embedding_scale;
  position_offset_ = config.position_offset;
  padding_ = config.padding;
  if (config.positions == PositionKind::kLearned) {
    positions_ = reader.weight(is_target ? names.decoder_positions : names.positions);
  } else if (config.positions != PositionKind::kNone) {
    positions_ = to_compute(sinusoid(config), reader.options());
  }
  if (config.token_types > 0) token_type_ = reader.weight(names.token_types)[0];
  norm_ = reader.norm_if_named(is_target ? names.decoder_embedding_norm : names.embedding_norm);
  if (config.embedding_width != config.width) project_ = reader.linear(names.project_in, false);
}

at::Tensor Embedding::position_rows(const at::Tensor& ids, std::int64_t offset) const {
  const std::int64_t first = position_offset_ + offset;
  if (!padding_) return positions_.slice(0, first, first + ids.size(1));
  const at::Tensor is_token = ids.ne(*padding_).to(at::kLong);
  const at::Tensor rows = (is_token.cumsum(1) + offset) * is_token + *padding_;
  return at::embedding(positions_, rows);
}

at::Tensor Embedding::operator()(const InputBatch& input, std::int64_t offset) const {
  if (patch_.weight.defined()) return patches(input.pixels);
  return sound_.weight.defined() ? sounds(input.features) : tokens(input.ids, offset);
}

at::Tensor Embedding::tokens(const at::Tensor& ids, std::int64_t offset) const {
  at::Tensor x = at::embedding(table_, ids).to(type_);
  if (scale_ != 1) x = x * scale_;
  if (project_) x = (*project_)(x);
  if (positions_.defined()) x = x + position_rows(ids, offset);
  if (token_type_.defined()) x = x + token_type_;
  return norm_ ? (*norm_)(x) : x;
}

at::Tensor Embedding::patches(const at::Tensor& pixels) const {
  const std::int64_t side = patch_.weight.size(2);
  const at::Tensor maps =
      at::conv2d(pixels, patch_.weight, patch_.bias, at::IntArrayRef{side, side});
  const at::Tensor tokens = maps.flatten(2).transpose(1, 2);
  const at::Tensor classes = class_token_.expand({tokens.size(0), 1, tokens.size(2)});
  return at::cat({classes, tokens}, 1) + image_positions_;
}

at::Tensor Embedding::sounds(const at::Tensor& features) const {
  const at::Tensor wide = at::gelu(at::conv1d(features, sound_.weight, sound_.bias, 1, 1));
  const at::Tensor halved =
      at::gelu(at::conv1d(wide, sound_reduction_.weight, sound_reduction_.bias, 2, 1));
  return halved.transpose(1, 2) + positions_;
}

}  // namespace regroup::models
