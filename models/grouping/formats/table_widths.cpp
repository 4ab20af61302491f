#include "models/grouping/formats/table_widths.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "models/grouping/group_widths.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

using search::Head;
using search::Partition;

[[noreturn]] void refuse_row(const HeadRow& row, std::string_view what, std::string expected,
                             std::string found, const std::string& where) {
  throw InputError({.what = std::string(what),
                    .where = fmt::format("{}, line {}", where, row.line),
                    .expected = std::move(expected),
                    .found = std::move(found)});
}

/// One for each group, in the partition's order.
std::vector<int> group_widths(const std::vector<HeadRow>& rows, std::optional<int> HeadRow::*stated,
                              const Partition& partition, int head_dim, const std::string& where) {
  const std::vector<std::vector<Head>> members = partition.members();
  std::vector<int> widths(members.size(), 0);
  for (std::size_t h = 0; h < rows.size(); ++h) {
    const HeadRow& row = rows[h];
    const search::Group group = partition.group_of(Head(static_cast<int>(h)));
    const int width = checked_width((row.*stated).value_or(head_dim),
                                    static_cast<int>(members[group.at()].size()), head_dim,
                                    fmt::format("{}, line {}", where, row.line));
    int& known = widths[group.at()];
    if (known != 0 && known != width) {
      refuse_row(row, "heads of one group have different widths", std::to_string(known),
                 std::to_string(width), where);
    }
    known = width;
  }
  return widths;
}

bool states_width(const HeadRow& row) {
  return row.key_width || row.value_width;
}

bool are_free(const std::vector<HeadRow>& rows, const std::string& where) {
  for (const HeadRow& row : rows) {
    if (row.free_frequencies == rows.front().free_frequencies) continue;
    refuse_row(row, "frequencies are free in one row and shared in another of the layer",
               "the same in all rows of a layer", row.free_frequencies ? "free" : "shared", where);
  }
  return rows.front().free_frequencies;
}

}  // namespace

std::string_view width_columns() {
  return ",key_width,value_width,frequencies";
}

std::string width_fields(const search::LayerGrouping& layer, Head head, int head_dim) {
  if (!layer.widths) return fmt::format(",{},{},shared", head_dim, head_dim);
  return fmt::format(",{},{},{}", layer.widths->keys[layer.keys.group_of(head).at()],
                     layer.widths->values[layer.values.group_of(head).at()],
                     layer.widths->free_frequencies ? "free" : "shared");
}

std::optional<search::GroupWidths> table_widths(const std::vector<HeadRow>& rows,
                                                const search::LayerGrouping& groups, int head_dim,
                                                const std::string& where) {
  const auto stated = std::ranges::find_if(rows, states_width);
  if (stated == rows.end()) return std::nullopt;
  if (head_dim == 0) {
    refuse_row(*stated, "widths of groups of a model whose head_dim is not known", "--model",
               "none", where);
  }
  return unless_heads({head_dim,
                       group_widths(rows, &HeadRow::key_width, groups.keys, head_dim, where),
                       group_widths(rows, &HeadRow::value_width, groups.values, head_dim, where),
                       are_free(rows, where)});
}

}  // namespace regroup::models
