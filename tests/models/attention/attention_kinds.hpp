#pragma once

#include <memory>

#include "models/attention/dot_product_attention.hpp"

namespace regroup::tests {

// Kinds of attention of papers that models/ does not have, as small as they can be, to show that
// the interface carries them (METHODS §4, §6).

/// Key and value heads whose query heads are dealt anew in every pass of a training, at random, and
/// after each of its steps by the heads' key norms; that deal is kept.
class DealtAttention final : public models::Attention {
 public:
  explicit DealtAttention(std::shared_ptr<const models::DotProductAttention> inner);

  std::string_view name() const override { return "dealt heads"; }
  models::AttentionKind kind() const override { return inner_->kind(); }
  std::unique_ptr<models::LayerCache> make_cache(std::int64_t batch,
                                                 std::int64_t capacity) const override {
    return inner_->make_cache(batch, capacity);
  }
  at::Tensor mix(const models::AttentionInput& input,
                 const models::AttentionPass& pass) const override;
  at::Tensor project(const at::Tensor& mixed) const override { return inner_->project(mixed); }
  models::AttentionTrace trace(const models::AttentionInput& input) const override {
    return frozen()->trace(input);
  }
  std::shared_ptr<const models::Attention> after_step(const at::Tensor& sums,
                                                      std::uint64_t number) const override;
  models::MergedAttention fold() const override { return frozen()->fold(); }

  /// The deal of a training pass with this key.
  models::HeadMap dealt(search::RandomKey key) const;

 protected:
  std::shared_ptr<models::Attention> copy() const override {
    return std::make_shared<DealtAttention>(*this);
  }
  void visit_tensors(const TensorVisitor& visit) override;

 private:
  /// As dot products, by the deal that is kept.
  std::shared_ptr<const models::DotProductAttention> frozen() const;

  std::shared_ptr<const models::DotProductAttention> inner_;
  at::Tensor deal_;  // which stored head each query head reads, int64 [H]
};

/// Dot products whose attention maps lose Gaussian noise in training, drawn with the pass's key.
class NoisyAttention final : public models::Attention {
 public:
  NoisyAttention(std::shared_ptr<const models::DotProductAttention> inner, double size)
      : inner_(std::move(inner)), size_(size) {}

  std::string_view name() const override { return "noisy"; }
  models::AttentionKind kind() const override { return inner_->kind(); }
  std::unique_ptr<models::LayerCache> make_cache(std::int64_t batch,
                                                 std::int64_t capacity) const override {
    return inner_->make_cache(batch, capacity);
  }
  at::Tensor mix(const models::AttentionInput& input,
                 const models::AttentionPass& pass) const override;
  at::Tensor project(const at::Tensor& mixed) const override { return inner_->project(mixed); }
  models::AttentionTrace trace(const models::AttentionInput& input) const override {
    return inner_->trace(input);
  }
  models::MergedAttention fold() const override { return inner_->fold(); }

 protected:
  std::shared_ptr<models::Attention> copy() const override {
    return std::make_shared<NoisyAttention>(*this);
  }
  void visit_tensors(const TensorVisitor& visit) override;

 private:
  std::shared_ptr<const models::DotProductAttention> inner_;
  double size_;
};

/// Projections that a layer of several key projections or none but its own has.
struct OwnProjections {
  models::Linear query;
  std::vector<models::Linear> keys;  ///< one or more
  models::Linear value;
  models::Linear output;
  std::int64_t heads = 1;

  std::int64_t width() const { return query.weight.size(0) / heads; }
};

/// Causal attention whose every head is a mixture of two Gaussian keys: softmax over tokens of the
/// logsumexp over keys of ln π_m − ‖q − k_m‖²/2σ², σ² = √width.
class MixtureAttention final : public models::Attention {
 public:
  /// `prior` [H, 2]: π of each head.
  MixtureAttention(OwnProjections projections, at::Tensor prior)
      : own_(std::move(projections)), prior_(std::move(prior)) {}

  std::string_view name() const override { return "mixture of keys"; }
  models::AttentionKind kind() const override { return models::AttentionKind::kCausal; }
  std::unique_ptr<models::LayerCache> make_cache(std::int64_t batch,
                                                 std::int64_t capacity) const override;
  at::Tensor mix(const models::AttentionInput& input,
                 const models::AttentionPass& pass) const override;
  at::Tensor project(const at::Tensor& mixed) const override { return own_.output(mixed); }
  models::AttentionTrace trace(const models::AttentionInput& input) const override;
  models::MergedAttention fold() const override {
    refuse("attention has no projections of a checkpoint", "one key a head");
  }

 protected:
  std::shared_ptr<models::Attention> copy() const override {
    return std::make_shared<MixtureAttention>(*this);
  }
  void visit_tensors(const TensorVisitor& visit) override;

 private:
  /// [batch, H, length, key length], −∞ at later tokens.
  at::Tensor logits(const at::Tensor& queries, const std::vector<at::Tensor>& keys) const;

  OwnProjections own_;
  at::Tensor prior_;
};

/// Causal linear attention: φ(q)ᵀ Σ φ(k) vᵀ / φ(q)ᵀ Σ φ(k), φ = elu + 1. What it keeps of earlier
/// tokens are the two sums, whatever their number.
class LinearAttention final : public models::Attention {
 public:
  explicit LinearAttention(OwnProjections projections) : own_(std::move(projections)) {}

  std::string_view name() const override { return "linear"; }
  models::AttentionKind kind() const override { return models::AttentionKind::kCausal; }
  std::unique_ptr<models::LayerCache> make_cache(std::int64_t batch,
                                                 std::int64_t capacity) const override;
  at::Tensor mix(const models::AttentionInput& input,
                 const models::AttentionPass& pass) const override;
  at::Tensor project(const at::Tensor& mixed) const override { return own_.output(mixed); }
  models::AttentionTrace trace(const models::AttentionInput& input) const override;
  models::MergedAttention fold() const override {
    refuse("attention has no projections of a checkpoint", "a softmax");
  }

 protected:
  std::shared_ptr<models::Attention> copy() const override {
    return std::make_shared<LinearAttention>(*this);
  }
  void visit_tensors(const TensorVisitor& visit) override;

 private:
  OwnProjections own_;
};

}  // namespace regroup::tests
