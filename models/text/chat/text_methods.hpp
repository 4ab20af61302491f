#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "models/text/chat/value.hpp"

namespace regroup::models::chat {

// Python's methods of strings, on valid UTF-8 text.

std::string upper_case(std::string_view text);
std::string lower_case_of(std::string_view text);
/// Words begin with a capital and go on in lower case.
std::string title_case(std::string_view text);
std::string capitalized(std::string_view text);
/// Without the characters of a set at its ends; an empty set: white space.
std::string stripped(std::string_view text, std::string_view set, bool left, bool right);
/// Parts between separators, not empty; at most `most` cuts unless that is negative.
List split_at(std::string_view text, std::string_view separator, std::int64_t most,
              bool from_right);
/// Words between white space. Throws InputError, naming the line, for a limit.
List split_at_spaces(std::string_view text, std::int64_t most, int line);
/// With every occurrence replaced, or the first `*most`.
std::string with_replaced(std::string_view text, std::string_view from, std::string_view to,
                          const std::int64_t* most);
/// How often a part occurs without overlaps.
std::int64_t count_of(std::string_view text, std::string_view part);

}  // namespace regroup::models::chat
