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

}  // namespace regroup::models
