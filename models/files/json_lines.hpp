#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace regroup::models {

/// One line of a file of JSON lines.
struct JsonLine {
  nlohmann::json value;  ///< an object
  std::string where;     ///< "docs.jsonl, line 3"
};

/// Parses a JSON object a line; blank lines are passed over. `where` names the file. Throws
/// InputError, naming the line, for one that is no JSON object, as parse_json does.
std::vector<JsonLine> parse_json_lines(std::string_view text, const std::string& where);

}  // namespace regroup::models
