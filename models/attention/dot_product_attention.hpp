#pragma once

#include <ATen/ATen.h>

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "models/attention/attention.hpp"
#include "models/attention/attention_setting.hpp"
#include "models/attention/grouped_decode.hpp"
#include "models/layers/head_map.hpp"
#include "models/tensors/linear.hpp"

namespace regroup::models {

/// Softmax over scaled dot products of queries with keys, where query heads read stored key and
/// value heads by a head map each. The widths of a key and of a value are those of the projections'
/// rows; rotary embedding turns the first rows of a key.
class DotProductAttention final : public Attention {
 public:
  /// Throws WorkError for projections whose rows are not those of the head maps.
  DotProductAttention(const MergedAttention& layer, AttentionSetting setting,
                      const ComputeOptions& options);

  std::string_view name() const override { return "dot product"; }
  AttentionKind kind() const override { return setting_.kind; }
  std::unique_ptr<LayerCache> make_cache(std::int64_t batch, std::int64_t capacity) const override;
  std::shared_ptr<const Attention> with_cache(CacheType type, KeyOrder order) const override;
  /// A single new position does not expand the stored heads (grouped_decode.hpp).
  at::Tensor mix(const AttentionInput& input, const AttentionPass& pass = {}) const override;
  at::Tensor project(const at::Tensor& mixed) const override { return output_(mixed); }
  AttentionTrace trace(const AttentionInput& input) const override;
  MergedAttention fold() const override;
  std::shared_ptr<const Attention> with(const MergedAttention& layer,
                                        const ComputeOptions& options) const override;

  /// The same projections whose stored heads serve other query heads.
  std::shared_ptr<const DotProductAttention> with_maps(const HeadMap& keys,
                                                       const HeadMap& values) const;
  const HeadMap& key_map() const { return key_map_; }
  const HeadMap& value_map() const { return value_map_; }
  const Rotary& rotary() const { return *rotary_; }

  /// Queries before rotation, x [batch, length, D] → [batch, H, length, width].
  at::Tensor plain_queries(const at::Tensor& x) const;
  /// The stored heads' keys before rotation, x [batch, length, D] → [batch, n_K, length, width].
  at::Tensor keys(const at::Tensor& x) const;

 protected:
  std::shared_ptr<Attention> copy() const override {
    return std::make_shared<DotProductAttention>(*this);
  }
  void visit_tensors(const TensorVisitor& visit) override;

 private:
  /// Which stored heads query heads read, as computations want it.
  struct Selection {
    Selection(const HeadMap& map, const at::Device& device);

    /// Those that each query head reads: [batch, n, …] → [batch, H, …].
    at::Tensor select(const at::Tensor& stored) const;

    at::Tensor index;  // [H]; undefined where query heads read those of their own numbers
    HeadGroups groups;
    at::Tensor readers;  // how many read each stored head, [1, n, 1, 1]
  };

  void require_rows() const;
  std::int64_t key_width() const { return key_.weight.size(0) / key_map_.stored(); }
  std::int64_t value_width() const { return value_.weight.size(0) / value_map_.stored(); }
  /// Norms that run over all heads come with the projections.
  void take_norms(const MergedAttention& layer, const ComputeOptions& options);
  /// Heads [batch, n, length, width] behind the norm, where there is one: of all heads together,
  /// each counted as often as it has readers; undefined: once.
  at::Tensor normed(const at::Tensor& heads, const std::optional<Norm>& norm,
                    const at::Tensor& readers) const;
  at::Tensor clipped(const at::Tensor& heads) const;
  /// What the logits get besides q·k by the positions of queries and keys.
  std::optional<at::Tensor> position_bias(std::int64_t length, std::int64_t total) const;
  at::Tensor values(const at::Tensor& x) const;
  /// [batch, H, 1, value width] of the newest of all positions, given the cached heads.
  at::Tensor mix_newest(const at::Tensor& queries, const at::Tensor& keys,
                        const at::Tensor& values) const;
  /// Whether queries at the last `length` of `total` positions may look at each position: bool
  /// [length, total].
  at::Tensor visible(std::int64_t length, std::int64_t total, const at::Device& device) const;
  /// What the logits get besides q·k: nothing where they need no more than the causal rule.
  std::optional<at::Tensor> mask(const at::Tensor& queries, const at::Tensor& keys) const;

  AttentionSetting setting_;
  // As in MergedAttention.
  std::optional<LayerWidths> widths_;
  std::vector<int> key_frequencies_;
  std::shared_ptr<const Rotary> rotary_;  // the setting's, or with these frequencies
  double scale_ = 1;                      // of q·k
  Linear query_;
  Linear key_;
  Linear value_;
  Linear output_;
  at::Device device_;
  at::ScalarType type_;  // of the computation
  HeadMap key_map_;
  HeadMap value_map_;
  Selection read_keys_;
  Selection read_values_;
  CacheType cache_type_ = CacheType::kExact;
  KeyOrder key_order_ = KeyOrder::kAsIs;
  CacheCodec codec_ = {};
};

/// The attention as one by dot products. Throws InputError for another kind: `purpose` ("a query
/// refit") needs this one.
const DotProductAttention& as_dot_product(const Attention& attention, std::string_view purpose);

}  // namespace regroup::models
