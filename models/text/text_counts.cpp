#include "models/text/text_counts.hpp"

#include "models/text/pipeline/unicode.hpp"

namespace regroup::models {
namespace {

bool is_space(char32_t character) {
  return is_white_space(character) || (character >= 0x1c && character <= 0x1f);
}

}  // namespace

std::size_t trailing_white_space(std::string_view text) {
  std::size_t bytes = 0;
  while (!text.empty()) {
    const std::size_t before = text.size();
    const bool space = is_space(take_character(text));
    bytes = space ? bytes + before - text.size() : 0;
  }
  return bytes;
}

std::size_t count_words(std::string_view text) {
  std::size_t runs = 0;
  bool in_run = false;
  while (!text.empty()) {
    const bool space = is_space(take_character(text));
    if (space && !in_run) ++runs;
    in_run = space;
  }
  return runs + 1;
}

std::size_t count_characters(std::string_view text) {
  std::size_t characters = 0;
  for (; !text.empty(); ++characters) take_character(text);
  return characters;
}

}  // namespace regroup::models
