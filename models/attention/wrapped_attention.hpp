#pragma once

#include <memory>

#include "models/attention/dot_product_attention.hpp"

namespace regroup::models {

/// Attention by dot products that training treats in a way of its own. What it stores and caches is
/// what the dot products do; evaluated and folded it is they.
class WrappedAttention : public Attention {
 public:
  AttentionKind kind() const override { return inner_->kind(); }
  std::unique_ptr<LayerCache> make_cache(std::int64_t batch, std::int64_t capacity) const override {
    return frozen()->make_cache(batch, capacity);
  }
  at::Tensor project(const at::Tensor& mixed) const override { return inner_->project(mixed); }
  AttentionTrace trace(const AttentionInput& input) const override {
    return frozen()->trace(input);
  }
  MergedAttention fold() const override { return frozen()->fold(); }

 protected:
  explicit WrappedAttention(std::shared_ptr<const DotProductAttention> inner)
      : inner_(std::move(inner)) {}

  const DotProductAttention& inner() const { return *inner_; }
  /// The dot products that an evaluation computes.
  virtual std::shared_ptr<const DotProductAttention> frozen() const { return inner_; }
  void visit_tensors(const TensorVisitor& visit) override;

 private:
  std::shared_ptr<const DotProductAttention> inner_;
};

}  // namespace regroup::models
