#include "runs/reading/history_file.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <string>
#include <string_view>

#include "models/files/mapped_file.hpp"
#include "search/base/error.hpp"

namespace regroup::runs {
namespace {

constexpr std::string_view kHeader = "stage,unit,generation,evaluations,front,hypervolume";
constexpr std::size_t kColumns = 6;

[[noreturn]] void refuse(const std::filesystem::path& file, std::size_t line,
                         const std::string& expected, std::string_view found) {
  throw InputError({.what = "history row is broken",
                    .where = fmt::format("{}, line {}", file.string(), line),
                    .expected = expected,
                    .found = std::string(found.substr(0, 80))});
}

/// Cuts a line at its commas; a quoted field may hold commas and doubled quotes.
std::vector<std::string> fields_of(std::string_view line) {
  std::vector<std::string> fields(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const bool doubled = quoted && line[i] == '"' && i + 1 < line.size() && line[i + 1] == '"';
    if (doubled) {
      fields.back() += line[i++];
    } else if (line[i] == '"') {
      quoted = !quoted;
    } else if (line[i] == ',' && !quoted) {
      fields.emplace_back();
    } else {
      fields.back() += line[i];
    }
  }
  return fields;
}

template <typename Number>
bool parse(const std::string& text, Number& number) {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  return error == std::errc{} && stop == end;
}

HistoryRow read_row(const std::filesystem::path& file, std::size_t line, std::string_view text) {
  const std::vector<std::string> fields = fields_of(text);
  if (fields.size() != kColumns) refuse(file, line, fmt::format("{} columns", kColumns), text);
  HistoryRow row{.stage = fields[0], .unit = fields[1]};
  if (!parse(fields[2], row.generation) || !parse(fields[3], row.evaluations) ||
      !parse(fields[4], row.front)) {
    refuse(file, line, "whole numbers for generation, evaluations and front", text);
  }
  const bool valid = parse(fields[5], row.hypervolume) && std::isfinite(row.hypervolume) &&
                     row.hypervolume >= 0 && row.hypervolume <= 1;
  if (!valid) refuse(file, line, "a hypervolume in [0, 1]", text);
  return row;
}

}  // namespace

std::vector<HistoryRow> read_history(const std::filesystem::path& file) {
  const models::MappedFile mapped(file);
  const std::string_view text(reinterpret_cast<const char*>(mapped.bytes().data()),
                              mapped.bytes().size());
  std::vector<HistoryRow> rows;
  std::size_t line = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string_view row(text.data() + begin, end - begin);
    if (row.ends_with('\r')) row.remove_suffix(1);
    begin = end + 1;
    if (++line == 1) {
      if (row != kHeader) refuse(file, line, std::string(kHeader), row);
    } else if (!row.empty()) {
      rows.push_back(read_row(file, line, row));
    }
  }
  return rows;
}

}  // namespace regroup::runs
