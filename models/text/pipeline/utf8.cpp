#include "models/text/pipeline/utf8.hpp"

#include <fmt/format.h>
#include <utf8proc.h>

#include <algorithm>

#include "search/base/error.hpp"

namespace regroup::models {
namespace {

/// Bytes of the character that `text` begins with, by libutf8proc; none if there is no such.
std::optional<std::size_t> character_length(std::string_view text) {
  utf8proc_int32_t character = 0;
  const utf8proc_ssize_t length =
      utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                       static_cast<utf8proc_ssize_t>(text.size()), &character);
  return length > 0 ? std::optional(static_cast<std::size_t>(length)) : std::nullopt;
}

/// Whether these bytes, at most 3, can be completed to one character. Where a character allows only
/// some second bytes, the first or the last of all continuation bytes is among them.
bool begin_a_character(std::string_view bytes) {
  for (const char fill : {'\x80', '\xbf'}) {
    std::string completed(bytes);
    completed.append(3, fill);
    if (character_length(completed).value_or(0) > bytes.size()) return true;
  }
  return false;
}

/// Bytes of the longest beginning of a character that `text`, which begins with none, begins with;
/// at least 1.
std::size_t length_of_subpart(std::string_view text) {
  std::size_t length = 1;
  while (length < std::min<std::size_t>(3, text.size()) &&
         begin_a_character(text.substr(0, length + 1))) {
    ++length;
  }
  return length;
}

}  // namespace

std::optional<std::size_t> first_invalid_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const auto length = character_length(text.substr(at));
    if (!length) return at;
    at += *length;
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
