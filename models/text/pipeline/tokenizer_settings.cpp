#include "models/text/pipeline/tokenizer_settings.hpp"

#include <nlohmann/json.hpp>

#include "models/files/json_fields.hpp"
#include "models/files/json_file.hpp"

namespace regroup::models {

nlohmann::json read_tokenizer_settings(const std::filesystem::path& file) {
  nlohmann::json object = nlohmann::json::object();
  if (std::filesystem::exists(file)) object = read_json_file(file);
  require_object(object, file.string());
  const std::filesystem::path map = file.parent_path() / "special_tokens_map.json";
  if (object.contains(kAddedTokensKey) || !std::filesystem::exists(map)) return object;
  const nlohmann::json named = read_json_file(map);
  require_object(named, map.string());
  object.update(named);
  return object;
}

}  // namespace regroup::models
