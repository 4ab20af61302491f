#include "models/text/chat/gguf_template.hpp"

#include "models/checkpoint/gguf/gguf_fields.hpp"
#include "models/checkpoint/gguf/gguf_header.hpp"

namespace regroup::models {

std::optional<std::string> gguf_chat_template(const std::filesystem::path& file) {
  const GgufMetadata metadata = read_gguf_metadata(file);
  const auto* text = find_typed<std::string>(metadata, "tokenizer.chat_template");
  return text == nullptr ? std::nullopt : std::optional(*text);
}

std::vector<std::pair<std::string, std::string>> gguf_special_tokens(
    const std::filesystem::path& file) {
  const GgufMetadata metadata = read_gguf_metadata(file);
  std::vector<std::pair<std::string, std::string>> result;
  const auto* tokens = find_typed<std::vector<std::string>>(metadata, "tokenizer.ggml.tokens");
  if (tokens == nullptr) return result;
  for (const auto& [role, name] :
       {std::pair("bos", "bos_token"), std::pair("eos", "eos_token"),
        std::pair("unknown", "unk_token"), std::pair("padding", "pad_token")}) {
    const auto* id =
        find_typed<std::uint32_t>(metadata, "tokenizer.ggml." + std::string(role) + "_token_id");
    if (id != nullptr && *id < tokens->size()) result.emplace_back(name, (*tokens)[*id]);
  }
  return result;
}

}  // namespace regroup::models
