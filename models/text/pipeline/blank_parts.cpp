#include "models/text/pipeline/blank_parts.hpp"

namespace regroup::models {
namespace {

/// Where the blanks end that begin at `at`.
std::size_t end_of_blanks(std::string_view text, std::size_t at) {
  while (text.substr(at).starts_with(kVisibleBlank)) at += kVisibleBlank.size();
  return at;
}

}  // namespace

void for_each_blank_part(std::string_view text,
                         const std::function<void(std::string_view)>& on_part) {
  while (!text.empty()) {
    const std::size_t end = text.find(kVisibleBlank, end_of_blanks(text, 0));
    on_part(text.substr(0, end));
    if (end == text.npos) return;
    text.remove_prefix(end);
  }
}

bool holds_blank_inside(std::string_view token) {
  return token.find(kVisibleBlank, end_of_blanks(token, 0)) != token.npos;
}

}  // namespace regroup::models
