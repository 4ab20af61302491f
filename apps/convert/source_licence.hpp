#pragma once

#include <filesystem>
#include <string>

namespace regroup::apps {

/// The lines on the licence ("license", "license_name", "license_link") in the front matter of a
/// checkpoint's README.md, each ending in a line break; empty where it states none.
std::string source_licence(const std::filesystem::path& checkpoint);

}  // namespace regroup::apps
