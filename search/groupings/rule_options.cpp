#include "search/groupings/rule_options.hpp"

#include <array>

#include "search/groupings/partition.hpp"

namespace regroup::search {
namespace {

constexpr std::array kSharings = {
    Named<PartitionSharing>{"joint", PartitionSharing::kJoint},
    Named<PartitionSharing>{"independent", PartitionSharing::kIndependent}};

constexpr std::array kShapes = {Named<GroupShape>{"any", GroupShape::kAny},
                                Named<GroupShape>{"per-layer", GroupShape::kPerLayer},
                                Named<GroupShape>{"standard", GroupShape::kStandard}};

}  // namespace

std::vector<Option> options(GroupingRules& rules) {
  return {{.flag = "--partitions",
           .key = "partitions",
           .unit = "KIND",
           .help = "Keys and values by one partition (joint) or each by their own (independent)",
           .field = names_of(rules.sharing, kSharings)},
          {.flag = "--layout",
           .key = "layout",
           .help = "Groupings that this layout of a checkpoint holds: any; per-layer (equal sizes "
                   "within a layer); standard (equal sizes, the same in all layers)",
           .field = names_of(rules.shape, kShapes)},
          {.flag = "--min-groups",
           .key = "min_groups",
           .unit = "N",
           .help = "Fewest groups of a layer",
           .field = NumberField<int>{&rules.min_groups, 1, Partition::kMaxHeads}},
          {.flag = "--group-limit",
           .key = "group_limit",
           .unit = "N",
           .help = "Most groups of a layer (0: the number of KV heads)",
           .field = NumberField<int>{&rules.max_groups, 0, Partition::kMaxHeads}},
          {.flag = "--freeze-layers",
           .key = "freeze_layers",
           .unit = "LAYER,…",
           .help = "Layers, from 0, whose heads are left as they are",
           .field = &rules.frozen_layers}};
}

}  // namespace regroup::search
