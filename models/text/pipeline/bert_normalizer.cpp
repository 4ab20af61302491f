#include "models/text/pipeline/normalizer.hpp"

#include "models/text/pipeline/unicode.hpp"

namespace regroup::models {
namespace {

constexpr char32_t kReplacement = 0xfffd;

bool is_dropped(char32_t character) {
  if (character == '\t' || character == '\n' || character == '\r') return false;
  return character == 0 || character == kReplacement || is_control(character);
}

std::string without_controls(std::string_view text) {
  std::string clean;
  clean.reserve(text.size());
  while (!text.empty()) {
    const char32_t character = take_character(text);
    if (is_dropped(character)) continue;
    append_character(clean, is_white_space(character) ? U' ' : character);
  }
  return clean;
}

std::string with_separate_ideographs(std::string_view text) {
  std::string separate;
  separate.reserve(text.size());
  while (!text.empty()) {
    const char32_t character = take_character(text);
    const bool ideograph = is_cjk_ideograph(character);
    if (ideograph) separate += ' ';
    append_character(separate, character);
    if (ideograph) separate += ' ';
  }
  return separate;
}

std::string without_accents(std::string_view text) {
  const std::string decomposed = normal_form(text, NormalForm::kNfd);
  std::string bare;
  bare.reserve(decomposed.size());
  for (std::string_view rest = decomposed; !rest.empty();) {
    const char32_t character = take_character(rest);
    if (!is_nonspacing_mark(character)) append_character(bare, character);
  }
  return bare;
}

}  // namespace

std::string BertNormalizer::operator()(std::string_view text) const {
  std::string result = clean ? without_controls(text) : std::string(text);
  if (separate_ideographs) result = with_separate_ideographs(result);
  if (strip_accents) result = without_accents(result);
  if (lower) result = lower_case(result);
  return result;
}

}  // namespace regroup::models
