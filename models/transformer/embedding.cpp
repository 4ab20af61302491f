#include "models/transformer/embedding.hpp"

namespace regroup::models {

Embedding::Embedding(ModuleReader& reader) : position_offset_(reader.config().position_offset) {
  const ModelModules& names = reader.model().spec.model;
  const ModelConfig& config = reader.config();
  if (config.kind == ModelKind::kImage) {
    const Linear patches{reader.weight(names.patches),
                         reader.tensor(std::string(names.patches) + ".bias")};
    patch_weight_ = patches.weight;
    patch_bias_ = patches.bias;
    class_token_ = reader.tensor(names.class_token);
    image_positions_ = reader.tensor(names.image_positions);
    return;
  }
  table_ = reader.weight(names.embedding);
  if (config.learned_positions > 0) positions_ = reader.weight(names.positions);
  if (config.token_types > 0) token_type_ = reader.weight(names.token_types)[0];
  if (!names.embedding_norm.empty()) norm_ = reader.norm(names.embedding_norm);
  if (config.embedding_width != config.width) project_ = reader.linear(names.project_in, false);
}

at::Tensor Embedding::tokens(const at::Tensor& ids, std::int64_t offset) const {
  at::Tensor x = at::embedding(table_, ids);
  if (project_) x = (*project_)(x);
  if (positions_.defined()) {
    const std::int64_t first = position_offset_ + offset;
    x = x + positions_.slice(0, first, first + ids.size(1));
  }
  if (token_type_.defined()) x = x + token_type_;
  return norm_ ? (*norm_)(x) : x;
}

at::Tensor Embedding::patches(const at::Tensor& pixels) const {
  const std::int64_t side = patch_weight_.size(2);
  const at::Tensor maps =
      at::conv2d(pixels, patch_weight_, patch_bias_, at::IntArrayRef{side, side});
  const at::Tensor tokens = maps.flatten(2).transpose(1, 2);
  const at::Tensor classes = class_token_.expand({tokens.size(0), 1, tokens.size(2)});
  return at::cat({classes, tokens}, 1) + image_positions_;
}

}  // namespace regroup::models
