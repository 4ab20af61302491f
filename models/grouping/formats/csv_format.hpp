#pragma once

#include "models/grouping/formats/grouping_format.hpp"

namespace regroup::models {

/// A table with a row for each head, named as interpretability tools name it, layer and head from
/// 0: columns `head,key_group,value_group`, rows `L0H3,1,0`. Groups are numbers that mean something
/// within their layer only. Read are also tables of other tools: columns in any order beside
/// others, `layer` and `head` as numbers, `group` or `cluster` for keys and values alike; labels
/// and one or two groups without a header.
class CsvFormat : public GroupingFormat {
 public:
  std::string_view name() const override { return "csv"; }
  std::vector<NamedText> write(const search::Grouping& grouping,
                               const HeadCounts& heads) const override;
  search::Grouping read(const std::filesystem::path& path,
                        const std::optional<HeadCounts>& model) const override;
};

}  // namespace regroup::models
