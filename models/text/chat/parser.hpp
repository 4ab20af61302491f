#pragma once

#include <string_view>

#include "models/text/chat/node.hpp"

namespace regroup::models::chat {

/// Parses a template. Throws InputError, naming the line, for what is not understood.
Block parse_template(std::string_view source);

}  // namespace regroup::models::chat
