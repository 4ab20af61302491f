#pragma once

#include "models/architecture/model_config.hpp"
#include "models/merge/merge_operator.hpp"
#include "search/groupings/grouping.hpp"

namespace regroup::models {

/// Whether keys of the model can be wider than a head: not where a norm follows them.
bool can_widen_keys(const ModelConfig& config);

/// Throws InputError, naming the layer and the widths that are possible, unless every width that
/// the grouping states can be merged: by an operator that makes wide heads, even, at most what its
/// group can fill; of keys under rotary embedding a multiple of head_dim, or free and one in the
/// whole layer.
void require_valid_widths(const search::Grouping& grouping, const MergeOperator& merge,
                          const ModelConfig& config);

}  // namespace regroup::models
