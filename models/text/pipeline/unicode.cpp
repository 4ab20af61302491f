#include "models/text/pipeline/unicode.hpp"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>

#include "search/base/error.hpp"

namespace regroup::models {
namespace {

utf8proc_option_t options_of(NormalForm form) {
  switch (form) {
    case NormalForm::kNfd:
      return UTF8PROC_DECOMPOSE;
    case NormalForm::kNfkc:
      return static_cast<utf8proc_option_t>(UTF8PROC_COMPOSE | UTF8PROC_COMPAT);
    case NormalForm::kNfkd:
      return static_cast<utf8proc_option_t>(UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT);
    case NormalForm::kNfc:
      break;
  }
  return UTF8PROC_COMPOSE;
}

utf8proc_category_t category(char32_t character) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(character));
}

struct Range {
  char32_t first;
  char32_t last;
};

template <std::size_t n>
bool lies_in(const std::array<Range, n>& ranges, char32_t character) {
  return std::any_of(ranges.begin(), ranges.end(), [&](const Range& range) {
    return character >= range.first && character <= range.last;
  });
}

struct Free {
  void operator()(utf8proc_uint8_t* bytes) const { std::free(bytes); }
};

/// Appends the normal form of text by libutf8proc.
void append_normal_form(std::string_view text, NormalForm form, std::string& result) {
  utf8proc_uint8_t* bytes = nullptr;
  const auto options = static_cast<utf8proc_option_t>(options_of(form) | UTF8PROC_STABLE);
  const utf8proc_ssize_t length =
      utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                   static_cast<utf8proc_ssize_t>(text.size()), &bytes, options);
  const std::unique_ptr<utf8proc_uint8_t, Free> owner(bytes);
  if (length < 0) {
    throw WorkError({.what = "text cannot be normalized", .found = utf8proc_errmsg(length)});
  }
  result.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(length));
}

/// Bytes from `at` on that are ASCII.
std::size_t ascii_run(std::string_view text, std::size_t at) {
  std::size_t end = at;
  while (end < text.size() && (text[end] & 0x80) == 0) ++end;
  return end - at;
}

}  // namespace

/// ASCII characters are normal, and only one that stands before another character can combine with
/// it. So text between them is normalized in pieces that begin with one and end before the next.
std::string normal_form(std::string_view text, NormalForm form) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const std::size_t run = ascii_run(text, 0);
    if (run == text.size()) return result.append(text);
    const std::size_t kept = run > 0 ? run - 1 : 0;
    result.append(text.substr(0, kept));
    std::size_t end = run;
    while (end < text.size() && ascii_run(text, end) == 0) ++end;
    append_normal_form(text.substr(kept, end - kept), form, result);
    text.remove_prefix(end);
  }
  return result;
}

std::string lower_case(std::string_view text) {
  constexpr char32_t kCapitalIWithDot = 0x130;
  std::string lower;
  lower.reserve(text.size());
  while (!text.empty()) {
    if ((text[0] & 0x80) == 0) {
      const char c = text[0];
      lower += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
      text.remove_prefix(1);
      continue;
    }
    const char32_t character = take_character(text);
    if (character == kCapitalIWithDot) {
      lower += "i\xcc\x87";  // the one character whose lower case is two: i and U+0307
    } else {
      const auto small = utf8proc_tolower(static_cast<utf8proc_int32_t>(character));
      append_character(lower, static_cast<char32_t>(small));
    }
  }
  return lower;
}

char32_t take_character(std::string_view& text) {
  utf8proc_int32_t character = 0;
  const utf8proc_ssize_t length =
      utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                       static_cast<utf8proc_ssize_t>(text.size()), &character);
  text.remove_prefix(length > 0 ? static_cast<std::size_t>(length) : 1);
  return static_cast<char32_t>(character);
}

void append_character(std::string& text, char32_t character) {
  std::array<utf8proc_uint8_t, 4> bytes{};
  const utf8proc_ssize_t length =
      utf8proc_encode_char(static_cast<utf8proc_int32_t>(character), bytes.data());
  text.append(reinterpret_cast<const char*>(bytes.data()), static_cast<std::size_t>(length));
}

std::size_t grapheme_length(std::string_view text) {
  std::string_view rest = text;
  utf8proc_int32_t state = 0;
  auto before = static_cast<utf8proc_int32_t>(take_character(rest));
  while (!rest.empty()) {
    std::string_view behind = rest;
    const auto next = static_cast<utf8proc_int32_t>(take_character(behind));
    if (utf8proc_grapheme_break_stateful(before, next, &state)) break;
    before = next;
    rest = behind;
  }
  return text.size() - rest.size();
}

bool is_white_space(char32_t character) {
  constexpr std::array kSpaces = {
      Range{0x09, 0x0d},     Range{0x20, 0x20},     Range{0x85, 0x85},     Range{0xa0, 0xa0},
      Range{0x1680, 0x1680}, Range{0x2000, 0x200a}, Range{0x2028, 0x2029}, Range{0x202f, 0x202f},
      Range{0x205f, 0x205f}, Range{0x3000, 0x3000}};
  return lies_in(kSpaces, character);
}

std::size_t space_before(std::string_view text) {
  std::size_t begin = text.size();
  for (std::size_t at = text.size(); at > 0;) {
    --at;
    if ((text[at] & 0xc0) == 0x80) continue;  // inside of a character
    std::string_view rest = text.substr(at);
    if (!is_white_space(take_character(rest))) break;
    begin = at;
  }
  return begin;
}

std::size_t space_after(std::string_view text) {
  std::string_view rest = text;
  std::size_t length = 0;
  while (!rest.empty() && is_white_space(take_character(rest))) length = text.size() - rest.size();
  return length;
}

bool is_control(char32_t character) {
  const utf8proc_category_t c = category(character);
  return c == UTF8PROC_CATEGORY_CC || c == UTF8PROC_CATEGORY_CF || c == UTF8PROC_CATEGORY_CO;
}

bool is_nonspacing_mark(char32_t character) {
  return category(character) == UTF8PROC_CATEGORY_MN;
}

char32_t upper_case_of(char32_t character) {
  return static_cast<char32_t>(utf8proc_toupper(static_cast<utf8proc_int32_t>(character)));
}

bool is_letter(char32_t character) {
  const utf8proc_category_t c = category(character);
  return c >= UTF8PROC_CATEGORY_LU && c <= UTF8PROC_CATEGORY_LO;
}

bool is_combining_mark(char32_t character) {
  const utf8proc_category_t c = category(character);
  return c == UTF8PROC_CATEGORY_MN || c == UTF8PROC_CATEGORY_MC || c == UTF8PROC_CATEGORY_ME;
}

bool is_word_character(char32_t character) {
  // Joiners, and the symbols that are alphabetic: letters in circles and squares.
  constexpr std::array kOthers = {Range{0x200c, 0x200d}, Range{0x24b6, 0x24e9},
                                  Range{0x1f130, 0x1f149}, Range{0x1f150, 0x1f169},
                                  Range{0x1f170, 0x1f189}};
  const utf8proc_category_t c = category(character);
  return is_letter(character) || is_combining_mark(character) || c == UTF8PROC_CATEGORY_ND ||
         c == UTF8PROC_CATEGORY_NL || c == UTF8PROC_CATEGORY_PC || lies_in(kOthers, character);
}

bool is_punctuation(char32_t character) {
  const utf8proc_category_t c = category(character);
  if (c >= UTF8PROC_CATEGORY_PC && c <= UTF8PROC_CATEGORY_PO) return true;
  return character < 0x80 && c >= UTF8PROC_CATEGORY_SM && c <= UTF8PROC_CATEGORY_SO;
}

bool is_cjk_ideograph(char32_t character) {
  // The block from U+2B820 begins at U+2B920 in Hugging Face's tokenizers, whose ids count here.
  constexpr std::array kIdeographs = {Range{0x4e00, 0x9fff},   Range{0x3400, 0x4dbf},
                                      Range{0x20000, 0x2a6df}, Range{0x2a700, 0x2b73f},
                                      Range{0x2b740, 0x2b81f}, Range{0x2b920, 0x2ceaf},
                                      Range{0xf900, 0xfaff},   Range{0x2f800, 0x2fa1f}};
  return lies_in(kIdeographs, character);
}

}  // namespace regroup::models
