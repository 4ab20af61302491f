#include "search/groupings/grouping_rules.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "search/base/error.hpp"

namespace regroup::search {
namespace {

bool is_frozen(const GroupingRules& rules, int layer) {
  return std::find(rules.frozen_layers.begin(), rules.frozen_layers.end(), layer) !=
         rules.frozen_layers.end();
}

void require_known_layers(const GroupingRules& rules, int layers) {
  for (const int layer : rules.frozen_layers) {
    if (layer >= 0 && layer < layers) continue;
    throw InputError({.what = "layer to freeze is not in the model",
                      .where = "--freeze-layers",
                      .expected = fmt::format("0 to {}", layers - 1),
                      .found = std::to_string(layer)});
  }
}

}  // namespace

GroupMultiples GroupingRules::multiples_of(int layer) const {
  return is_frozen(*this, layer) ? GroupMultiples{} : multiples;
}

std::vector<int> allowed_group_counts(const GroupingRules& rules, int layer, int heads,
                                      int multiple) {
  if (is_frozen(rules, layer)) return {heads};
  const int filled = heads / multiple;
  const int most = rules.max_groups == 0 ? filled : std::min(rules.max_groups, filled);
  std::vector<int> counts;
  for (int groups = std::max(1, rules.min_groups); groups <= most; ++groups) {
    if (!rules.equal_sizes() || heads % groups == 0) counts.push_back(groups);
  }
  if (!counts.empty()) return counts;
  throw InputError({.what = "no number of groups is allowed",
                    .where = fmt::format("layer {} (--min-groups, --group-limit, --layout)", layer),
                    .expected = fmt::format("from 1 to {} groups{}", filled,
                                            rules.equal_sizes() ? ", a divisor of the heads" : ""),
                    .found = fmt::format("{} to {}", rules.min_groups, most)});
}

void require_consistent(const GroupingRules& rules, int layers) {
  require_known_layers(rules, layers);
  if (rules.equal_sizes() && rules.sharing == PartitionSharing::kIndependent) {
    throw InputError({.what = "keys and values must share their partitions in this layout",
                      .where = "--partitions, --layout",
                      .expected = "joint partitions, or no layout"});
  }
  const auto frozen = static_cast<int>(rules.frozen_layers.size());
  if (rules.shape == GroupShape::kStandard && frozen > 0) {
    throw InputError({.what = "layout standard has the same number of groups in all layers",
                      .where = "--freeze-layers, --layout",
                      .expected = "no frozen layers, or layout per-layer",
                      .found = fmt::format("{} frozen layers", frozen)});
  }
}

}  // namespace regroup::search
