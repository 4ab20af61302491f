#include "models/recipes/valid_widths.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "search/base/error.hpp"

namespace regroup::models {
namespace {

[[noreturn]] void refuse(std::string what, std::size_t layer, std::string expected, int found) {
  throw InputError({.what = std::move(what),
                    .where = fmt::format("layer {}", layer),
                    .expected = std::move(expected),
                    .found = std::to_string(found)});
}

void require_fillable(const search::Partition& partition, const std::vector<int>& widths,
                      int head_dim, std::size_t layer) {
  const std::vector<std::vector<int>> members = partition.member_ids();
  if (widths.size() != members.size()) {
    refuse("there is not one width for each group", layer, fmt::format("{} widths", members.size()),
           static_cast<int>(widths.size()));
  }
  for (std::size_t g = 0; g < members.size(); ++g) {
    const int most = static_cast<int>(members[g].size()) * head_dim;
    const bool is_even = widths[g] >= 2 && widths[g] % 2 == 0;
    if (widths[g] == head_dim || (is_even && widths[g] <= most)) continue;
    refuse(fmt::format("group {} cannot have this width", g), layer,
           fmt::format("an even number from 2 to {}", most), widths[g]);
  }
}

void require_key_widths(const search::GroupWidths& widths, const ModelConfig& config,
                        std::size_t layer) {
  const auto [least, most] = std::ranges::minmax(widths.keys);
  if (!can_widen_keys(config)) {
    if (least == config.head_dim && most == config.head_dim) return;
    refuse("keys that a norm follows keep their width", layer,
           fmt::format("key widths of {}", config.head_dim),
           least == config.head_dim ? most : least);
  }
  if (config.rotary.dimensions == 0 || !widths.has_free_frequencies() || least == most) return;
  refuse("rotary frequencies are dealt to keys of one width alone", layer,
         fmt::format("key widths that are multiples of {}, or all the same", config.head_dim),
         least);
}

}  // namespace

bool can_widen_keys(const ModelConfig& config) {
  return config.query_key_norm == QueryKeyNorm::kNone;
}

void require_valid_widths(const search::Grouping& grouping, const MergeOperator& merge,
                          const ModelConfig& config) {
  if (!grouping.has_widths()) return;
  if (!merge.is_wide()) {
    throw InputError({.what = "this merge makes heads of the source's width alone",
                      .expected = "--merge optimal for groups of other widths",
                      .found = std::string(merge.name())});
  }
  for (std::size_t layer = 0; layer < grouping.layers.size(); ++layer) {
    const search::LayerGrouping& groups = grouping.layers[layer];
    if (!groups.widths) continue;
    require_fillable(groups.keys, groups.widths->keys, config.head_dim, layer);
    require_fillable(groups.values, groups.widths->values, config.head_dim, layer);
    require_key_widths(*groups.widths, config.of_layer(static_cast<int>(layer)), layer);
  }
}

}  // namespace regroup::models
