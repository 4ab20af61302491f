#include "models/grouping/formats/head_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <tuple>
#include <utility>

#include "models/files/printable.hpp"
#include "search/base/error.hpp"
#include "search/groupings/partition.hpp"

namespace regroup::models {
namespace {

using Fields = std::vector<std::string_view>;

constexpr int kMostGroup = search::Partition::kMaxHeads - 1;

/// Where a row's numbers stand.
struct Columns {
  std::optional<std::size_t> layer;  ///< absent: heads are labels, L0H3
  std::size_t head = 0;
  std::size_t key_group = 0;
  std::size_t value_group = 0;
  std::optional<std::size_t> key_width = {};
  std::optional<std::size_t> value_width = {};
  std::optional<std::size_t> frequencies = {};
  std::size_t count = 0;
};

/// A field without the white space and the quotes around it.
std::string_view trimmed(std::string_view field) {
  constexpr std::string_view kWhite = " \t";
  field.remove_prefix(std::min(field.find_first_not_of(kWhite), field.size()));
  field.remove_suffix(field.size() - (field.find_last_not_of(kWhite) + 1));
  if (field.size() >= 2 && field.front() == '"' && field.back() == '"') {
    field = field.substr(1, field.size() - 2);
  }
  return field;
}

Fields split(std::string_view line) {
  Fields fields;
  for (std::size_t at = 0; at <= line.size();) {
    const std::size_t end = std::min(line.find(',', at), line.size());
    fields.push_back(trimmed(line.substr(at, end - at)));
    at = end + 1;
  }
  return fields;
}

/// Digits alone as a number of at most `most`.
std::optional<int> number_in(std::string_view text, int most) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (text.front() == '-' || number > most) return std::nullopt;
  return number;
}

int checked_number(std::string_view field, std::string_view column, int most,
                   const std::string& where) {
  if (const auto number = number_in(field, most)) return *number;
  throw InputError({.what = fmt::format("{} is not a number that it can be", column),
                    .where = where,
                    .expected = fmt::format("an integer from 0 to {}", most),
                    .found = "\"" + printable(field) + "\""});
}

/// Layer and head that a label, "L0H3", names.
std::optional<std::pair<int, int>> parse_label(std::string_view label) {
  if (!label.starts_with('L') && !label.starts_with('l')) return std::nullopt;
  const std::size_t middle = label.find_first_of("Hh");
  if (middle == std::string_view::npos) return std::nullopt;
  const auto layer = number_in(label.substr(1, middle - 1), kMostTableNumber);
  const auto head = number_in(label.substr(middle + 1), kMostTableNumber);
  if (!layer || !head) return std::nullopt;
  return std::pair(*layer, *head);
}

std::optional<std::size_t> find_column(const Fields& header, std::string_view name) {
  const auto found = std::find(header.begin(), header.end(), name);
  if (found == header.end()) return std::nullopt;
  return static_cast<std::size_t>(found - header.begin());
}

/// The first of two columns that is there. Throws InputError where neither is.
std::size_t column(const Fields& header, std::string_view name, std::string_view other,
                   const std::string& where) {
  if (const auto found = find_column(header, name)) return *found;
  if (const auto found = find_column(header, other)) return *found;
  throw InputError({.what = "column is missing",
                    .where = where,
                    .expected = "a header as head,key_group,value_group or layer,head,group, or "
                                "rows as L0H3,1",
                    .found = fmt::format("no column {}", name)});
}

Columns columns_of(const Fields& header, const std::string& where) {
  Columns columns;
  columns.count = header.size();
  columns.layer = find_column(header, "layer");
  columns.head = column(header, "head", "head", where);
  const bool has_pair = find_column(header, "key_group") || find_column(header, "value_group");
  columns.key_group = column(header, has_pair ? "key_group" : "group", "cluster", where);
  columns.value_group = column(header, has_pair ? "value_group" : "group", "cluster", where);
  columns.key_width = find_column(header, "key_width");
  columns.value_width = find_column(header, "value_width");
  if (columns.key_width || columns.value_width) {
    columns.frequencies = find_column(header, "frequencies");
  }
  return columns;
}

/// What the first line says: a header, or itself a row of a label and one or two groups.
Columns read_columns(const Fields& first, const std::string& where) {
  if (!parse_label(first[0])) return columns_of(first, where);
  if (first.size() == 2 || first.size() == 3) {
    return {.key_group = 1, .value_group = first.size() - 1, .count = first.size()};
  }
  throw InputError({.what = "row without a header has the wrong number of fields",
                    .where = where,
                    .expected = "a label and one group, or one of keys and one of values",
                    .found = fmt::format("{} fields", first.size())});
}

/// What the optional columns say of the group's width.
void read_widths(const Fields& fields, const Columns& columns, const std::string& where,
                 HeadRow& row) {
  if (columns.key_width) {
    row.key_width = checked_number(fields[*columns.key_width], "width", kMostTableNumber, where);
  }
  if (columns.value_width) {
    row.value_width =
        checked_number(fields[*columns.value_width], "width", kMostTableNumber, where);
  }
  if (!columns.frequencies) return;
  const std::string_view stated = fields[*columns.frequencies];
  row.free_frequencies = stated == "free";
  if (row.free_frequencies || stated == "shared") return;
  throw InputError({.what = "frequencies are not known",
                    .where = where,
                    .expected = "free or shared",
                    .found = "\"" + printable(stated) + "\""});
}

HeadRow read_row(const Fields& fields, const Columns& columns, const std::string& where) {
  if (fields.size() != columns.count) {
    throw InputError({.what = "row has the wrong number of fields",
                      .where = where,
                      .expected = std::to_string(columns.count),
                      .found = std::to_string(fields.size())});
  }
  HeadRow row;
  const std::string_view head = fields[columns.head];
  if (const auto label = parse_label(head)) {
    std::tie(row.layer, row.head) = *label;
  } else if (columns.layer) {
    row.layer = checked_number(fields[*columns.layer], "layer", kMostTableNumber, where);
    row.head = checked_number(head, "head", kMostTableNumber, where);
  } else {
    throw InputError({.what = "head is not named by its layer and number",
                      .where = where,
                      .expected = "a label as L0H3",
                      .found = "\"" + printable(head) + "\""});
  }
  row.key_group = checked_number(fields[columns.key_group], "group", kMostGroup, where);
  row.value_group = checked_number(fields[columns.value_group], "group", kMostGroup, where);
  read_widths(fields, columns, where, row);
  return row;
}

}  // namespace

std::vector<HeadRow> parse_head_table(std::string_view text, const std::string& where) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  std::vector<HeadRow> rows;
  std::optional<Columns> columns;
  std::size_t number = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line = text.substr(at, end - at);
    at = end + 1;
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.find_first_not_of(" \t") == std::string_view::npos) continue;
    const Fields fields = split(line);
    const std::string place = fmt::format("{}, line {}", where, number);
    const bool is_first = !columns;
    if (is_first) columns = read_columns(fields, place);
    if (is_first && !parse_label(fields[0])) continue;  // it was the header
    rows.push_back(read_row(fields, *columns, place));
    rows.back().line = number;
  }
  if (!rows.empty()) return rows;
  throw InputError({.what = "table has no rows",
                    .where = where,
                    .expected = "a row for each head",
                    .found = "none"});
}

}  // namespace regroup::models
