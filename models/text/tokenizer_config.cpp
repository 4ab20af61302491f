#include "models/text/tokenizer_config.hpp"

#include <nlohmann/json.hpp>

#include "models/files/json_fields.hpp"
#include "models/files/json_file.hpp"

namespace regroup::models {
namespace {

/// A special token stands there by its text, or as an object with it.
std::optional<std::string> read_token(const nlohmann::json& json, const char* key,
                                      const std::string& where) {
  const auto field = json.find(key);
  if (field == json.end() || !field->is_object()) return optional_string(json, key, where);
  return required_string(*field, "content", field_of(where, key));
}

}  // namespace

TokenizerConfig read_tokenizer_config(const std::filesystem::path& file) {
  TokenizerConfig config;
  if (!std::filesystem::exists(file)) return config;
  const nlohmann::json json = read_json_file(file);
  const std::string where = file.string();
  require_object(json, where);
  config.add_begin = optional_bool(json, "add_bos_token", where).value_or(false);
  config.add_end = optional_bool(json, "add_eos_token", where).value_or(false);
  config.begin = read_token(json, "bos_token", where);
  config.end = read_token(json, "eos_token", where);
  config.unknown = read_token(json, "unk_token", where);
  config.padding = read_token(json, "pad_token", where);
  config.class_name = optional_string(json, "tokenizer_class", where);
  config.add_prefix_space = optional_bool(json, "add_prefix_space", where).value_or(false);
  return config;
}

}  // namespace regroup::models
