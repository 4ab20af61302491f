#pragma once

#include "models/attention/attention_weights.hpp"
#include "models/layouts/layout.hpp"

namespace regroup::models {

/// Rearranges one merged layer for a layout that holds it, in place, to `heads`: after it query
/// head q reads KV head ⌊q · n_KV / n_Q⌋, as stock grouped-query attention does. Heads that are
/// narrower than the stored ones get rows of zeros.
void lay_out(Layout layout, MergedAttention& layer, LayerHeads heads, const ModelConfig& config);

}  // namespace regroup::models
