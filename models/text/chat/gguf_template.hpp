#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace regroup::models {

/// The chat template of a GGUF file, `tokenizer.chat_template`. Throws InputError for a broken
/// file.
std::optional<std::string> gguf_chat_template(const std::filesystem::path& file);

/// The special tokens that a GGUF file names, as templates call them: "bos_token" and its text.
/// Throws InputError for a broken file.
std::vector<std::pair<std::string, std::string>> gguf_special_tokens(
    const std::filesystem::path& file);

}  // namespace regroup::models
