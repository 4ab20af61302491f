#pragma once

#include "models/grouping/formats/grouping_format.hpp"

namespace regroup::models {

/// The parts of a config.json that say how many query heads share a KV head in each layer:
/// `block_configs` of DeciLM and Nemotron-NAS, `num_key_value_heads_per_layer` of DeciLM-7B. They
/// say sizes alone: what is read becomes groups of neighbours, as in a checkpoint whose query heads
/// were permuted. Without a model the source is taken to have as many KV heads as query heads.
class BlockConfigsFormat : public GroupingFormat {
 public:
  std::string_view name() const override { return "block-configs"; }
  bool keeps_members() const override { return false; }
  std::vector<NamedText> write(const search::Grouping& grouping,
                               const HeadCounts& heads) const override;
  search::Grouping read(const std::filesystem::path& path,
                        const std::optional<HeadCounts>& model) const override;
};

}  // namespace regroup::models
