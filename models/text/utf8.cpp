#include "models/text/utf8.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "search/base/error.hpp"

namespace regroup::models {
namespace {

/// Bytes of the character that begins with `lead`, 0 if none does.
std::size_t length_of(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xc2 && lead <= 0xdf) return 2;
  if (lead >= 0xe0 && lead <= 0xef) return 3;
  if (lead >= 0xf0 && lead <= 0xf4) return 4;
  return 0;
}

/// The second byte has a narrower range after some first ones.
bool second_fits(unsigned char lead, unsigned char second) {
  switch (lead) {
    case 0xe0:
      return second >= 0xa0;  // else overlong
    case 0xed:
      return second <= 0x9f;  // else a surrogate
    case 0xf0:
      return second >= 0x90;  // else overlong
    case 0xf4:
      return second <= 0x8f;  // else above U+10FFFF
    default:
      return true;
  }
}

bool is_continuation(unsigned char byte) {
  return (byte & 0xc0) == 0x80;
}

/// Bytes of the longest beginning of a character that `text`, which begins with none, begins with;
/// at least 1.
std::size_t length_of_subpart(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const std::size_t most = std::min(length_of(byte(0)), text.size());
  std::size_t length = 1;
  while (length < most && is_continuation(byte(length)) &&
         (length > 1 || second_fits(byte(0), byte(1)))) {
    ++length;
  }
  return length;
}

}  // namespace

std::optional<std::size_t> first_invalid_utf8(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = length_of(byte(at));
    if (length == 0 || at + length > text.size()) return at;
    for (std::size_t i = 1; i < length; ++i) {
      if (!is_continuation(byte(at + i))) return at;
    }
    if (length > 1 && !second_fits(byte(at), byte(at + 1))) return at;
    at += length;
  }
  return std::nullopt;
}

std::string replace_invalid_utf8(std::string_view bytes) {
  std::string text;
  while (const auto bad = first_invalid_utf8(bytes)) {
    text.append(bytes.substr(0, *bad)).append(kReplacementCharacter);
    bytes.remove_prefix(*bad + length_of_subpart(bytes.substr(*bad)));
  }
  return text.append(bytes);
}

void require_utf8(std::string_view text, const std::string& where) {
  const auto bad = first_invalid_utf8(text);
  if (!bad) return;
  throw InputError({.what = "text is not UTF-8",
                    .where = where,
                    .expected = "UTF-8",
                    .found = fmt::format("an invalid byte at offset {}", *bad)});
}

}  // namespace regroup::models
