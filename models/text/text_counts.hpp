#pragma once

#include <cstddef>
#include <string_view>

namespace regroup::models {

// What evaluations count in valid UTF-8 text, with white space as Python's `str` takes it:
// Unicode's White_Space and the separators U+001C to U+001F.

/// Bytes of the white space that the text ends in.
std::size_t trailing_white_space(std::string_view text);

/// Pieces into which runs of white space cut the text, empty ones at its ends included, as `\s+`
/// splits in lm-evaluation-harness. Example: "a b " has 3.
std::size_t count_words(std::string_view text);

/// Unicode characters (code points). Example: "naïve" has 5.
std::size_t count_characters(std::string_view text);

}  // namespace regroup::models
