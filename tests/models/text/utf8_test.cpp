#include "models/text/pipeline/utf8.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <unordered_set>

#include "search/base/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/error_message.hpp"

using namespace regroup;
using namespace regroup::models;
using namespace regroup::tests;

namespace {

/// The bytes of a character by RFC 3629's table of bits.
std::string encoded(std::uint32_t character) {
  const auto tail = [&](unsigned shift) {
    return static_cast<char>(0x80U | (character >> shift & 0x3fU));
  };
  if (character < 0x80) return {static_cast<char>(character)};
  if (character < 0x800) return {static_cast<char>(0xc0U | character >> 6U), tail(0)};
  if (character < 0x10000) return {static_cast<char>(0xe0U | character >> 12U), tail(6), tail(0)};
  return {static_cast<char>(0xf0U | character >> 18U), tail(12), tail(6), tail(0)};
}

/// Up to four bytes as one number, their count included.
std::uint64_t packed(std::string_view bytes) {
  std::uint64_t number = bytes.size();
  for (const char byte : bytes) number = number << 8U | static_cast<unsigned char>(byte);
  return number;
}

/// Every character of Unicode and every beginning of one, listed.
struct AllCharacters {
  AllCharacters() {
    for (std::uint32_t character = 0; character <= 0x10ffff; ++character) {
      if (character >= 0xd800 && character <= 0xdfff) continue;
      const std::string bytes = encoded(character);
      whole.insert(packed(bytes));
      for (std::size_t n = 1; n < bytes.size(); ++n) begun.insert(packed(bytes.substr(0, n)));
    }
  }
  std::unordered_set<std::uint64_t> whole;
  std::unordered_set<std::uint64_t> begun;
};

/// The longest beginning of `text`, up to four bytes, that is listed; 0 if none.
std::size_t longest(std::string_view text, const std::unordered_set<std::uint64_t>& list) {
  for (std::size_t n = std::min<std::size_t>(4, text.size()); n > 0; --n) {
    if (list.contains(packed(text.substr(0, n)))) return n;
  }
  return 0;
}

}  // namespace

TEST_CASE("UTF-8 is checked as RFC 3629 says") {
  for (const char* good :
       {"", "abc", "naïve", "你好", "🙂", "\xef\xbf\xbf", "\xf4\x8f\xbf\xbf"}) {
    CHECK_FALSE(first_invalid_utf8(good));
  }
  CHECK(first_invalid_utf8("ab\xff") == 2U);
  CHECK(first_invalid_utf8("a\xc0\x80") == 1U);         // overlong
  CHECK(first_invalid_utf8("\xe0\x80\x80") == 0U);      // overlong
  CHECK(first_invalid_utf8("\xed\xa0\x80") == 0U);      // surrogate
  CHECK(first_invalid_utf8("\xf4\x90\x80\x80") == 0U);  // above U+10FFFF
  CHECK(first_invalid_utf8("abc\xe4\xbd") == 3U);       // cut off
  CHECK(first_invalid_utf8("\x80") == 0U);
  CHECK_THAT(error_message<InputError>([] { require_utf8("abc\xe4\xbd", "a.txt"); }),
             contains("a.txt") && contains("an invalid byte at offset 3"));
}

TEST_CASE("a search in the list of all characters finds the same invalid bytes") {
  const AllCharacters all;
  // On both sides of every border in the Unicode Standard's table 3-7.
  constexpr std::array<unsigned char, 22> kBytes = {0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0,
                                                    0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xed,
                                                    0xee, 0xef, 0xf0, 0xf4, 0xf5, 0xff};
  std::size_t valid = 0;
  std::size_t wrong = 0;
  std::string text(4, '\0');
  for (std::size_t i = 0; i < kBytes.size() * kBytes.size() * kBytes.size() * kBytes.size(); ++i) {
    std::size_t rest = i;
    for (char& byte : text) {
      byte = static_cast<char>(kBytes[rest % kBytes.size()]);
      rest /= kBytes.size();
    }
    std::string replaced;
    std::optional<std::size_t> invalid;
    for (std::size_t at = 0; at < text.size();) {
      const std::string_view left = std::string_view(text).substr(at);
      if (const std::size_t n = longest(left, all.whole)) {
        replaced += left.substr(0, n);
        at += n;
        continue;
      }
      if (!invalid) invalid = at;
      replaced += kReplacementCharacter;
      at += std::max<std::size_t>(1, longest(left, all.begun));
    }
    if (!invalid) ++valid;
    if (first_invalid_utf8(text) != invalid || replace_invalid_utf8(text) != replaced) ++wrong;
  }
  CHECK(wrong == 0);
  CHECK(valid > 100);
}
