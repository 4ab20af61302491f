#include <nlohmann/json.hpp>

#include "models/checkpoint/gguf/gguf_header.hpp"
#include "models/files/json_fields.hpp"
#include "models/files/json_file.hpp"
#include "models/files/mapped_file.hpp"
#include "models/text/chat/chat_template.hpp"
#include "models/text/chat/gguf_template.hpp"
#include "models/text/pipeline/tokenizer_settings.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

/// A template is a text, or one of a list with names.
std::optional<std::string> template_of(const std::filesystem::path& file) {
  constexpr const char* kField = "chat_template";
  if (!std::filesystem::exists(file)) return std::nullopt;
  const nlohmann::json json = read_json_file(file);
  const std::string where = file.string();
  require_object(json, where);
  const auto field = json.find(kField);
  if (field == json.end() || !field->is_array()) return optional_string(json, kField, where);
  for (const nlohmann::json& entry : *field) {
    if (optional_string(entry, "name", where) == "default") {
      return required_string(entry, "template", where);
    }
  }
  return std::nullopt;
}

/// The special tokens that the tokenizer's settings name.
std::vector<std::pair<std::string, std::string>> special_tokens(
    const std::filesystem::path& directory) {
  if (is_gguf_file(directory)) return gguf_special_tokens(directory);
  constexpr std::string_view kSuffix = "_token";
  std::vector<std::pair<std::string, std::string>> tokens;
  const std::filesystem::path file = directory / "tokenizer_config.json";
  const nlohmann::json settings = read_tokenizer_settings(file);
  for (const auto& [key, value] : settings.items()) {
    if (!std::string_view(key).ends_with(kSuffix)) continue;
    if (value.is_string()) tokens.emplace_back(key, value.get<std::string>());
    if (!value.is_object()) continue;
    if (const auto content = optional_string(value, "content", field_of(file.string(), key))) {
      tokens.emplace_back(key, *content);
    }
  }
  return tokens;
}

}  // namespace

std::string chat_text(const std::filesystem::path& directory,
                      const std::vector<ChatMessage>& messages) {
  const auto source = read_chat_template(directory);
  if (source) return apply_chat_template(*source, messages, special_tokens(directory));
  throw InputError({.what = "model has no chat template",
                    .where = directory.string(),
                    .expected = "chat_template.jinja, or \"chat_template\" in "
                                "tokenizer_config.json"});
}

std::optional<std::string> read_chat_template(const std::filesystem::path& directory) {
  if (is_gguf_file(directory)) return gguf_chat_template(directory);
  const std::filesystem::path own_file = directory / "chat_template.jinja";
  if (std::filesystem::exists(own_file)) {
    const MappedFile file(own_file);
    const auto bytes = file.bytes();
    return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  for (const char* name : {"chat_template.json", "tokenizer_config.json"}) {
    if (auto text = template_of(directory / name)) return text;
  }
  return std::nullopt;
}

}  // namespace regroup::models
