#include "models/text/pipeline/pattern.hpp"

#include <nlohmann/json.hpp>

#include "models/files/json_fields.hpp"

namespace regroup::models {

Regex read_pattern(const nlohmann::json& node, const std::string& where) {
  const nlohmann::json& pattern = required_object(node, "pattern", where);
  if (const auto text = optional_string(pattern, "String", where)) {
    return Regex::literal(*text, where);
  }
  return oniguruma_regex(required_string(pattern, "Regex", where), where);
}

Regex oniguruma_regex(std::string_view expression, const std::string& where) {
  return Regex::compiled(pcre2_from_oniguruma(expression, where), where);
}

std::string replaced(std::string_view text, const Regex& pattern, std::string_view content) {
  std::string result;
  result.reserve(text.size());
  std::size_t done = 0;
  pattern.for_each_match(text, [&](std::size_t begin, std::size_t end) {
    result.append(text.substr(done, begin - done)).append(content);
    done = end;
  });
  return result.append(text.substr(done));
}

}  // namespace regroup::models
