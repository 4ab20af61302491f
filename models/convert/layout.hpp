#pragma once

#include <string_view>
#include <vector>

#include "models/architecture/model_config.hpp"
#include "search/grouping.hpp"

namespace regroup::models {

struct MergedAttention;

/// How a converted checkpoint stores its groups.
enum class Layout {
  kStandard,  ///< query heads permuted, `num_key_value_heads` reduced: any engine runs it
  kExpand,    ///< keys and values repeated to the source's KV heads, or to its query heads where an
              ///< allocation parts those of one KV head: exact anywhere, saves nothing
};

/// "standard", "expand".
std::string_view layout_name(Layout layout);
/// Throws InputError that lists the known layouts.
Layout find_layout(std::string_view name);

/// True if the layout holds the grouping exactly: standard needs keys and values to share their
/// partitions, in all layers one number of stored groups that serve as many query heads each, and a
/// model family whose config can say that number.
bool holds(Layout layout, const search::Grouping& grouping, const ModelConfig& config);
/// The first layout, from the most useful, that holds the grouping.
Layout default_layout(const search::Grouping& grouping, const ModelConfig& config);
/// Throws InputError, naming the layouts that can, if `layout` cannot hold the grouping.
void require_holds(Layout layout, const search::Grouping& grouping, const ModelConfig& config);

/// KV heads of every layer of a checkpoint in this layout.
int stored_kv_heads(Layout layout, const search::Grouping& grouping);

/// Rearranges one merged layer for the layout, in place, to `stored_heads` KV heads.
void lay_out(Layout layout, MergedAttention& layer, const ModelConfig& config, int stored_heads);

}  // namespace regroup::models
