#pragma once

#include "models/attention/attention_weights.hpp"
#include "models/layouts/layout.hpp"

namespace regroup::models {

/// Rearranges one merged layer for a layout that holds it, in place, to `heads` of `head_dim` rows:
/// after it query head q reads KV head ⌊q · n_KV / n_Q⌋, as stock grouped-query attention does.
void lay_out(Layout layout, MergedAttention& layer, LayerHeads heads, int head_dim);

}  // namespace regroup::models
