#include "models/transformer/output_head.hpp"

#include "models/tensors/tensors.hpp"
#include "models/transformer/mlp.hpp"

namespace regroup::models {

OutputHead::OutputHead(ModuleReader& reader, const Embedding& embedding)
    : activation_(reader.config().mlp.activation), scale_(reader.config().logit_scale) {
  const ModelModules& names = reader.model().spec.model;
  const ModelConfig& config = reader.config();
  if (!names.head_dense.empty()) {
    dense_ = reader.linear(names.head_dense, true);
    norm_ = reader.norm(names.head_norm);
  }
  if (config.embedding_width != config.width) project_ = reader.linear(names.project_out, false);
  if (config.tied_embeddings) {
    last_.weight = embedding.table();
  } else {
    last_.weight = reader.weight(names.head);
  }
  if (config.kind == ModelKind::kImage) {
    last_.bias = reader.tensor(std::string(names.head) + ".bias");
  }
  if (!names.head_bias.empty()) last_.bias = reader.tensor(names.head_bias);
}

at::Tensor OutputHead::operator()(const at::Tensor& hidden) const {
  at::Tensor x = scale_ == 1 ? hidden : hidden * scale_;
  if (dense_) x = (*norm_)(activate(activation_, (*dense_)(x)));
  if (project_) x = (*project_)(x);
  return at_least_float(last_(x));
}

}  // namespace regroup::models
