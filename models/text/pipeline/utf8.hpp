#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace regroup::models {

/// Byte offset of the first place where `text` is not UTF-8 (RFC 3629: no overlong forms, no
/// surrogates, at most U+10FFFF), if any.
std::optional<std::size_t> first_invalid_utf8(std::string_view text);

/// Throws InputError, naming `where` and the place, if `text` is not UTF-8.
void require_utf8(std::string_view text, const std::string& where);

/// U+FFFD, which stands where bytes are no character.
inline constexpr std::string_view kReplacementCharacter = "\xef\xbf\xbd";

/// The text with U+FFFD in place of every longest run of bytes that begins a character and does not
/// end it, and of every other byte that is none (the Unicode Standard, 3.9, "U+FFFD substitution of
/// maximal subparts"). Example: "a\xe4\xbd" → "a\ufffd".
std::string replace_invalid_utf8(std::string_view bytes);

}  // namespace regroup::models
