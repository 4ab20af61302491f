#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace regroup::models {

/// Longest text from an input file that an error message repeats, in bytes.
inline constexpr std::size_t kMaxQuoted = 120;

/// Text from a file made fit for a message: control bytes become `?`, and what is longer than
/// `limit` bytes is cut between UTF-8 characters and ends in "...". Example: "a\x1b[2J" → "a?[2J".
std::string printable(std::string_view text, std::size_t limit = kMaxQuoted);

}  // namespace regroup::models
