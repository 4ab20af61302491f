#pragma once

#include <string>

namespace regroup::apps {

/// The bytes of a file, of standard input for "-". Throws InputError if it cannot be read.
std::string read_text(const std::string& file);

}  // namespace regroup::apps
