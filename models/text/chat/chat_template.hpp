#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace regroup::models {

/// A message of a conversation.
struct ChatMessage {
  std::string role;  ///< "system", "user" or "assistant"
  std::string content;
};

/// The chat template of a Hugging Face directory: `chat_template.jinja`, else "chat_template" of
/// chat_template.json or tokenizer_config.json, of several the one that is called "default". Throws
/// InputError for a broken file.
std::optional<std::string> read_chat_template(const std::filesystem::path& directory);

/// The text of a conversation by the template of a Hugging Face directory, which names its special
/// tokens in tokenizer_config.json, up to where the assistant's answer begins. Throws InputError if
/// there is no template, for a construct of Jinja that is not supported, and for what the template
/// itself refuses.
std::string chat_text(const std::filesystem::path& directory,
                      const std::vector<ChatMessage>& messages);

/// The same by a template's text; `special_tokens` have names such as "bos_token".
std::string apply_chat_template(
    std::string_view source, const std::vector<ChatMessage>& messages,
    const std::vector<std::pair<std::string, std::string>>& special_tokens);

}  // namespace regroup::models
