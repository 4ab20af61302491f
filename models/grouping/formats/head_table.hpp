#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace regroup::models {

/// One row of a table of heads.
struct HeadRow {
  int layer = 0;
  int head = 0;
  int key_group = 0;
  int value_group = 0;
  std::optional<int> key_width = {};  ///< numbers a token that the head's group stores
  std::optional<int> value_width = {};
  bool free_frequencies = false;
  std::size_t line = 0;  ///< of the text, from 1
};

/// Largest number that a table of heads may hold; groups are below Partition::kMaxHeads.
inline constexpr int kMostTableNumber = 999'999;

/// The rows of a CSV text with a row for each head, one at least; csv_format.cpp has its columns.
/// Lines end in LF or CRLF, blank ones are passed over; fields may stand in double quotes, a
/// byte-order mark before the first. Throws InputError, naming the line, for missing columns,
/// fields too few or too many, and what is no such number.
std::vector<HeadRow> parse_head_table(std::string_view text, const std::string& where);

}  // namespace regroup::models
