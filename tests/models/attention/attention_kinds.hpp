#pragma once

#include <memory>

#include "models/attention/attention.hpp"
#include "models/tensors/linear.hpp"

namespace regroup::tests {

// A kind of attention that models/ does not have, as small as it can be, to show that the interface
// carries one whose cache does not grow.

/// Projections that a layer of several key projections or none but its own has.
struct OwnProjections {
  models::Linear query;
  std::vector<models::Linear> keys;  ///< one or more
  models::Linear value;
  models::Linear output;
  std::int64_t heads = 1;

  std::int64_t width() const { return query.weight.size(0) / heads; }
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
