#pragma once

#include <cstdint>
#include <span>

namespace regroup::search {

/// What decides how much one attention layer computes for a decoded token. A value.
struct AttentionShape {
  std::int64_t query_heads = 0;   ///< H
  std::int64_t key_groups = 0;    ///< n_K, key heads that the layer stores
  std::int64_t value_groups = 0;  ///< n_V
  std::int64_t key_width = 0;     ///< W_K, of one stored key head; head_dim in a source
  std::int64_t value_width = 0;   ///< W_V
  std::int64_t model_width = 0;   ///< D
  std::int64_t context = 0;       ///< T, cached tokens that the decoded one attends to

  bool operator==(const AttentionShape&) const = default;
};

/// Multiplications of one decoded token in a layer: scores and values, then the projections of
/// queries, keys and values, then the output projection (METHODS §2.5):
///
///     T·H·(W_K + W_V) + D·(H·W_K + n_K·W_K + n_V·W_V) + H·W_V·D
std::int64_t multiplications(const AttentionShape& layer);

/// What groupings of one model compute relative to their source (METHODS §2.5). MLP and head are
/// the same in all of them and left out. Immutable.
class ComputeModel {
 public:
  /// The source's attention layers, which multiply something.
  explicit ComputeModel(std::span<const AttentionShape> source);

  /// Multiplications of all layers over those of the source; 1 for the source itself. O(layers).
  double relative(std::span<const AttentionShape> layers) const;

 private:
  std::int64_t source_;  // multiplications of all its layers
};

}  // namespace regroup::search
