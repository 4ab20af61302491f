#include "models/files/json_lines.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "models/files/json_file.hpp"

namespace regroup::models {
namespace {

bool is_blank(std::string_view line) {
  return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

}  // namespace

std::vector<JsonLine> parse_json_lines(std::string_view text, const std::string& where) {
  std::vector<JsonLine> lines;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t length = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, length);
    text.remove_prefix(std::min(length + 1, text.size()));
    if (is_blank(line)) continue;
    std::string here = fmt::format("{}, line {}", where, number);
    nlohmann::json value = parse_json_line(line, here);
    require_object(value, here);
    lines.push_back({std::move(value), std::move(here)});
  }
  return lines;
}

}  // namespace regroup::models
