#include "models/text/chat/text_methods.hpp"

#include <algorithm>
#include <functional>

#include "models/text/chat/lexer.hpp"
#include "models/text/pipeline/unicode.hpp"

namespace regroup::models::chat {
namespace {

bool is_in(std::string_view character, std::string_view set) {
  if (!set.empty()) return set.find(character) != set.npos;
  std::string_view rest = character;
  const char32_t c = take_character(rest);
  return is_white_space(c) || (c >= 0x1c && c <= 0x1f);
}

}  // namespace

std::string upper_case(std::string_view text) {
  std::string upper;
  while (!text.empty()) append_character(upper, upper_case_of(take_character(text)));
  return upper;
}

std::string lower_case_of(std::string_view text) {
  return lower_case(text);
}

std::string title_case(std::string_view text) {
  std::string title;
  bool in_word = false;
  for (const std::string_view character : characters_of(text)) {
    std::string_view rest = character;
    const bool letter = is_letter(take_character(rest));
    title += in_word ? lower_case(character) : upper_case(character);
    in_word = letter;
  }
  return title;
}

std::string capitalized(std::string_view text) {
  if (text.empty()) return "";
  const std::string_view first = characters_of(text).front();
  return upper_case(first) + lower_case(text.substr(first.size()));
}

std::string stripped(std::string_view text, std::string_view set, bool left, bool right) {
  const auto characters = characters_of(text);
  std::size_t begin = 0;
  std::size_t end = characters.size();
  while (left && begin < end && is_in(characters[begin], set)) ++begin;
  while (right && end > begin && is_in(characters[end - 1], set)) --end;
  std::string result;
  for (std::size_t i = begin; i < end; ++i) result += characters[i];
  return result;
}

List split_at(std::string_view text, std::string_view separator, std::int64_t most,
              bool from_right) {
  List parts;
  for (; most != 0; most -= most > 0 ? 1 : 0) {
    const std::size_t at = from_right ? text.rfind(separator) : text.find(separator);
    if (at == text.npos) break;
    const std::string_view behind = text.substr(at + separator.size());
    parts.push_back(std::string(from_right ? behind : text.substr(0, at)));
    text = from_right ? text.substr(0, at) : behind;
  }
  parts.push_back(std::string(text));
  if (from_right) std::reverse(parts.begin(), parts.end());
  return parts;
}

List split_at_spaces(std::string_view text, std::int64_t most, int line) {
  if (most >= 0) {
    refuse_template(line, "chat template is not supported", "split at white space without a limit",
                    "maxsplit");
  }
  List words;
  std::string word;
  for (const std::string_view character : characters_of(text)) {
    if (!is_in(character, "")) {
      word += character;
    } else if (!word.empty()) {
      words.push_back(std::exchange(word, ""));
    }
  }
  if (!word.empty()) words.push_back(word);
  return words;
}

std::string with_replaced(std::string_view text, std::string_view from, std::string_view to,
                          const std::int64_t* most) {
  if (from.empty()) return std::string(text);
  std::string result;
  std::int64_t left = most == nullptr ? -1 : *most;
  for (; left != 0; left -= left > 0 ? 1 : 0) {
    const std::size_t at = text.find(from);
    if (at == text.npos) break;
    result.append(text.substr(0, at)).append(to);
    text.remove_prefix(at + from.size());
  }
  return result.append(text);
}

std::int64_t count_of(std::string_view text, std::string_view part) {
  std::int64_t count = 0;
  if (part.empty()) return static_cast<std::int64_t>(characters_of(text).size()) + 1;
  for (std::size_t at = text.find(part); at != text.npos; at = text.find(part, at + part.size())) {
    ++count;
  }
  return count;
}

}  // namespace regroup::models::chat
