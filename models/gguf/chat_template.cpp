#include "models/gguf/tokenizer_metadata.hpp"

#include <nlohmann/json.hpp>

#include "models/files/json_fields.hpp"
#include "models/files/json_file.hpp"
#include "models/files/mapped_file.hpp"

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

}  // namespace

std::optional<std::string> read_chat_template(const std::filesystem::path& directory) {
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
