#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace regroup::models {

/// The characters by which GPT-2's files write the bytes 0 to 255, as UTF-8: printable bytes of
/// Latin-1 stand for themselves, the others are U+0100 and on in their order. Example: a blank is
/// "Ġ".
const std::array<std::string, 256>& byte_alphabet();

/// Bytes written in that alphabet.
std::string in_byte_alphabet(std::string_view bytes);

/// The bytes that text in that alphabet stands for; none where it has another character.
std::optional<std::string> from_byte_alphabet(std::string_view text);

}  // namespace regroup::models
