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

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c & 0x80) == 0; });
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

}  // namespace

std::string normal_form(std::string_view text, NormalForm form) {
  if (is_ascii(text)) return std::string(text);
  utf8proc_uint8_t* bytes = nullptr;
  const auto options = static_cast<utf8proc_option_t>(options_of(form) | UTF8PROC_STABLE);
  const utf8proc_ssize_t length =
      utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                   static_cast<utf8proc_ssize_t>(text.size()), &bytes, options);
  const std::unique_ptr<utf8proc_uint8_t, Free> owner(bytes);
  if (length < 0) {
    throw WorkError({.what = "text cannot be normalized", .found = utf8proc_errmsg(length)});
  }
  return {reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(length)};
}

std::string lower_case(std::string_view text) {
  constexpr char32_t kCapitalIWithDot = 0x130;
  std::string lower;
  lower.reserve(text.size());
  while (!text.empty()) {
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

bool is_white_space(char32_t character) {
  constexpr std::array kSpaces = {
      Range{0x09, 0x0d},     Range{0x20, 0x20},     Range{0x85, 0x85},     Range{0xa0, 0xa0},
      Range{0x1680, 0x1680}, Range{0x2000, 0x200a}, Range{0x2028, 0x2029}, Range{0x202f, 0x202f},
      Range{0x205f, 0x205f}, Range{0x3000, 0x3000}};
  return lies_in(kSpaces, character);
}

bool is_control(char32_t character) {
  const utf8proc_category_t c = category(character);
  return c == UTF8PROC_CATEGORY_CC || c == UTF8PROC_CATEGORY_CF || c == UTF8PROC_CATEGORY_CO;
}

bool is_nonspacing_mark(char32_t character) {
  return category(character) == UTF8PROC_CATEGORY_MN;
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
