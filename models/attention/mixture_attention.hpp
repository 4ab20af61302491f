#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "models/architecture/mixture_config.hpp"
#include "models/attention/attention.hpp"
#include "models/attention/attention_setting.hpp"
#include "models/attention/key_mixture.hpp"
#include "models/tensors/linear.hpp"

namespace regroup::models {

/// What a layer of mixtures stores besides the projections that any attention has; the first key is
/// one of those.
struct MixtureTensors {
  std::vector<Linear> keys;  ///< of the further components: "key_1", …; none where keys are shifted
  at::Tensor shifts;         ///< [M, H · d] where they are
  at::Tensor prior;          ///< π [M, H] or [M, H, positions]
};

/// Attention whose every head is a mixture of Gaussian keys, or linear attention of one: each
/// head's keys and its own value (METHODS §6). Its tensors stand in a checkpoint under their own
/// names.
class MixtureAttention final : public Attention {
 public:
  /// `layer`: as many key and value heads as query heads, …
  MixtureAttention(const AttentionWeights& layer, MixtureTensors own, const MixtureConfig& config,
                   AttentionKind kind, std::int64_t heads, const ComputeOptions& options);

  std::string_view name() const override {
    return config_.is_linear ? "linear mixture of keys" : "mixture of keys";
  }
  AttentionKind kind() const override { return kind_; }
  bool has_own_tensors() const override { return true; }
  std::unique_ptr<LayerCache> make_cache(std::int64_t batch, std::int64_t capacity) const override;
  at::Tensor mix(const AttentionInput& input, const AttentionPass& pass) const override;
  at::Tensor project(const at::Tensor& mixed) const override { return output_(mixed); }
  AttentionTrace trace(const AttentionInput& input) const override;
  MergedAttention fold() const override {
    refuse("attention has no projections that dot products could use", "one key a head");
  }
  /// `sums`: Σ γ of a step's passes [M + 1, H, positions], the last row how many queries saw each.
  std::shared_ptr<const Attention> after_step(const at::Tensor& sums,
                                              std::uint64_t number) const override;

 protected:
  std::shared_ptr<Attention> copy() const override {
    return std::make_shared<MixtureAttention>(*this);
  }
  void visit_tensors(const TensorVisitor& visit) override;

 private:
  struct Heads {
    at::Tensor queries;
    KeyMixture mixture;
    at::Tensor values;
  };

  std::int64_t width() const { return query_.weight.size(0) / heads_; }
  /// Projected keys [batch, H, length, d] of each that is stored.
  std::vector<at::Tensor> projected_keys(const at::Tensor& x) const;
  KeyMixture mixture_of(const std::vector<at::Tensor>& projected) const;
  Heads heads_of(const AttentionInput& input, LayerCache* cache) const;
  /// Whether each query may see each key, [length, key length].
  at::Tensor seen(std::int64_t length, std::int64_t total) const;
  at::Tensor shares(const Heads& heads) const;
  void add_responsibilities(const Heads& heads, at::Tensor& sums) const;

  MixtureConfig config_;
  AttentionKind kind_;
  std::int64_t heads_;
  at::Device device_;
  at::ScalarType type_;  // of the computation
  Linear query_;
  Linear key_;
  Linear value_;
  Linear output_;
  MixtureTensors own_;
};

}  // namespace regroup::models
