#include "apps/report/page_text.hpp"

#include <vector>

namespace regroup::apps {

std::string replace_all(std::string_view text, std::span<const Replacement> replacements) {
  std::string result;
  while (!text.empty()) {
    bool replaced = false;
    for (const auto& [from, to] : replacements) {
      if (!text.starts_with(from)) continue;
      result += to;
      text.remove_prefix(from.size());
      replaced = true;
      break;
    }
    if (replaced) continue;
    result += text.front();
    text.remove_prefix(1);
  }
  return result;
}

std::string html_text(const std::string& text) {
  const std::vector<Replacement> escapes{
      {"<", "&lt;"}, {">", "&gt;"}, {"&", "&amp;"}, {"\"", "&quot;"}, {"'", "&#39;"}};
  return replace_all(text, escapes);
}

}  // namespace regroup::apps
