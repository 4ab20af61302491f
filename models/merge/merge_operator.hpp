#pragma once

#include <string_view>
#include <vector>

#include "models/pretrained_model.hpp"
#include "search/grouping.hpp"

namespace regroup::models {

struct AttentionWeights;
struct MergedAttention;

/// How the heads of a group become one shared key or value head, with the query and output weights
/// folded to match where an operator does so. Stateless and thread-safe.
class MergeOperator {
 public:
  virtual ~MergeOperator() = default;
  virtual std::string_view name() const = 0;
  /// Merges the source projections of one layer of `model`; tensors keep any floating type.
  virtual MergedAttention merge(const AttentionWeights& source, const ModelConfig& config,
                                const search::LayerGrouping& grouping) const = 0;
};

/// The operator called `name`; throws InputError that lists the known ones.
const MergeOperator& find_merge(std::string_view name);
/// In the order of the table.
std::vector<std::string_view> merge_names();

/// Throws InputError unless the grouping has the layers and KV heads of the model and allocates its
/// query heads, where it does, to groups that keys and values share.
void require_same_heads(const search::Grouping& grouping, const ModelConfig& config);

/// Reads one layer and merges it. Merged tensors are rounded to the checkpoint's element type;
/// heads that stay alone keep their bits.
MergedAttention merge_layer(const PretrainedModel& model, int layer,
                            const search::LayerGrouping& grouping, const MergeOperator& merge);

}  // namespace regroup::models
