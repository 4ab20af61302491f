#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace regroup::models {

/// The chat template of a Hugging Face directory: `chat_template.jinja`, else "chat_template" of
/// chat_template.json or tokenizer_config.json, of several the one that is called "default". Throws
/// InputError for a broken file.
std::optional<std::string> read_chat_template(const std::filesystem::path& directory);

}  // namespace regroup::models
