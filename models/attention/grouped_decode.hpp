#pragma once

#include <ATen/ATen.h>

#include <optional>

#include "models/layers/head_map.hpp"

namespace regroup::models {

/// Which of n stored heads, key or value, each of H query heads reads, as a table of query heads:
/// n rows of m, the size of the largest group; shorter groups repeat some head. Immutable.
class HeadGroups {
 public:
  /// The tables live on `device`.
  HeadGroups(const HeadMap& map, const at::Device& device);

  /// Rows of query heads [batch, H, …] → by stored head, [batch · n, m, …].
  at::Tensor gather(const at::Tensor& of_queries) const;
  /// Back: [batch · n, m, …] → [batch, H, …].
  at::Tensor scatter(const at::Tensor& of_groups) const;

  bool operator==(const HeadGroups& other) const { return map_ == other.map_; }

 private:
  HeadMap map_;
  std::int64_t largest_ = 1;   // m
  at::Tensor query_of_place_;  // [n · m]; undefined where it is the identity
  at::Tensor place_of_query_;  // [H]; likewise
};

/// What attention reads for one new position.
struct DecodeInput {
  at::Tensor queries;         ///< [batch, H, 1, key width]
  at::Tensor keys;            ///< [batch, n_K, length, key width], those that the position sees
  at::Tensor values;          ///< [batch, n_V, length, value width]
  double scale = 1;           ///< of q·k
  std::optional<double> cap;  ///< AttentionSetting::cap
  std::optional<at::Tensor> bias;  ///< of the logits, [1, H, 1, length]
};

/// Attention of one new position that reads every stored head once for all query heads of its
/// group: one batched product with the keys, one with the values, none of them copied for each
/// query head. → [batch, H, 1, value width]. O(batch · (n_K · m_K + n_V · m_V) · length · width).
at::Tensor grouped_decode(const DecodeInput& input, const HeadGroups& key_groups,
                          const HeadGroups& value_groups);

}  // namespace regroup::models
