#include "models/grouping/formats/formats.hpp"

#include <fmt/format.h>

#include <map>
#include <utility>

#include "models/files/mapped_file.hpp"
#include "models/grouping/formats/head_table.hpp"
#include "models/grouping/formats/table_widths.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

using search::Label;
using search::Partition;

/// By layer the rows of its heads, by head; a map, for a file may name any numbers.
using HeadRows = std::map<int, std::map<int, HeadRow>>;

HeadRows collect(const std::vector<HeadRow>& rows, const std::string& where) {
  HeadRows layers;
  for (const HeadRow& row : rows) {
    if (layers[row.layer].try_emplace(row.head, row).second) continue;
    throw InputError({.what = "head is listed twice",
                      .where = fmt::format("{}, line {}", where, row.line),
                      .expected = "every head once",
                      .found = fmt::format("L{}H{} again", row.layer, row.head)});
  }
  return layers;
}

/// Refuses numbers other than 0 … count − 1 in ascending `entries`.
template <class Entries>
void require_complete(const Entries& entries, std::string_view noun, const std::string& where) {
  int next = 0;
  for (const auto& [number, ignored] : entries) {
    if (number != next) {
      throw InputError({.what = fmt::format("{} is missing", noun),
                        .where = where,
                        .expected = fmt::format("every {} from 0 to {}", noun, number),
                        .found = fmt::format("no {} {}", noun, next)});
    }
    ++next;
  }
}

/// The rows of a layer by head.
std::vector<HeadRow> rows_of(const std::map<int, HeadRow>& heads, const std::string& where) {
  require_complete(heads, "head", where);
  if (heads.size() > Partition::kMaxHeads) {
    throw InputError({.what = "layer has too many heads",
                      .where = where,
                      .expected = fmt::format("at most {}", Partition::kMaxHeads),
                      .found = std::to_string(heads.size())});
  }
  std::vector<HeadRow> rows;
  for (const auto& [head, row] : heads) rows.push_back(row);
  return rows;
}

search::LayerGrouping layer_of(const std::vector<HeadRow>& rows) {
  std::vector<Label> keys;
  std::vector<Label> values;
  for (const HeadRow& row : rows) {
    keys.push_back(static_cast<Label>(row.key_group));
    values.push_back(static_cast<Label>(row.value_group));
  }
  return {Partition::from_labels(keys), Partition::from_labels(values)};
}

/// A table with a row for each head, named as interpretability tools name it, layer and head from
/// 0: columns `head,key_group,value_group`, rows `L0H3,1,0`, and three more where groups have
/// widths. Groups are numbers that mean something within their layer only. Read are also tables of
/// other tools: columns in any order beside others, `layer` and `head` as numbers, `group` or
/// `cluster` for keys and values alike; labels and one or two groups without a header.
class CsvFormat : public GroupingFormat {
 public:
  std::string_view name() const override { return "csv"; }
  bool keeps_widths() const override { return true; }
  std::vector<NamedText> write(const search::Grouping& grouping,
                               const HeadCounts& heads) const override;
  search::Grouping read(const std::filesystem::path& path,
                        const std::optional<HeadCounts>& model) const override;
};

}  // namespace

std::vector<NamedText> CsvFormat::write(const search::Grouping& grouping,
                                        const HeadCounts& heads) const {
  const bool has_widths = grouping.has_widths();
  std::string text =
      fmt::format("head,key_group,value_group{}\n", has_widths ? width_columns() : "");
  for (std::size_t i = 0; i < grouping.layers.size(); ++i) {
    const search::LayerGrouping& layer = grouping.layers[i];
    for (int h = 0; h < heads.kv_heads; ++h) {
      const search::Head head(h);
      text += fmt::format("L{}H{},{},{}{}\n", i, h, layer.keys.group_of(head).value(),
                          layer.values.group_of(head).value(),
                          has_widths ? width_fields(layer, head, heads.head_dim) : "");
    }
  }
  return {{"", text}};
}

search::Grouping CsvFormat::read(const std::filesystem::path& path,
                                 const std::optional<HeadCounts>& model) const {
  const MappedFile file(path);
  const auto bytes = file.bytes();
  const std::string where = path.string();
  const HeadRows layers = collect(
      parse_head_table({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, where), where);
  require_complete(layers, "layer", where);
  search::Grouping grouping;
  for (const auto& [index, heads] : layers) {
    const std::vector<HeadRow> rows = rows_of(heads, fmt::format("{}, layer {}", where, index));
    grouping.layers.push_back(layer_of(rows));
    grouping.layers.back().widths =
        table_widths(rows, grouping.layers.back(), model ? model->head_dim : 0, where);
  }
  require_counts(grouping, model, where);
  return grouping;
}

const GroupingFormat& csv_format() {
  static const CsvFormat instance;
  return instance;
}

}  // namespace regroup::models
