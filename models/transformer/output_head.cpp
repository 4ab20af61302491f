#include "models/transformer/output_head.hpp"

#include "models/attention/fused_attention.hpp"
#include "models/tensors/tensors.hpp"
#include "models/transformer/mlp.hpp"

namespace regroup::models {

OutputHead::OutputHead(ModuleReader& reader, const Embedding& embedding)
    : activation_(reader.config().head_activation),
      scale_(reader.config().logit_scale),
      cap_(reader.config().logit_cap),
      outputs_(reader.config().width) {
  const ModelModules& names = reader.model().spec.model;
  const ModelConfig& config = reader.config();
  if (!config.has_head) return;
  if (!names.head_dense.empty()) {
    dense_ = reader.linear(names.head_dense, true);
    if (!names.head_norm.empty()) norm_ = reader.norm(names.head_norm);
  }
  if (config.embedding_width != config.width) project_ = reader.linear(names.project_out, false);
  if (config.tied_embeddings) {
    last_.weight = embedding.table();
  } else {
    last_.weight = reader.table(names.head);
  }
  if (config.head_bias) last_.bias = reader.tensor(names.head_bias).flatten();
  outputs_ = last_.weight.size(0);
}

at::Tensor OutputHead::operator()(const at::Tensor& hidden) const {
  at::Tensor x = scale_ == 1 ? hidden : hidden * scale_;
  if (dense_) x = activate(activation_, (*dense_)(x));
  if (norm_) x = (*norm_)(x);
  if (project_) x = (*project_)(x);
  if (!has_logits()) return at_least_float(x);
  const at::Tensor logits = at_least_float(last_(x));
  return cap_ ? capped(logits, *cap_) : logits;
}

}  // namespace regroup::models
