#include "models/layouts/converted_config.hpp"

#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "models/files/atomic_file.hpp"
#include "models/layouts/remote/resources.hpp"

namespace regroup::models {
namespace {

/// The code with the names of the source's classes, and of its own class, in their places.
std::string code_for(std::string_view code, const PretrainedModel& model) {
  const RemoteClass& own = model.config.has_head ? kRemoteDecoder : kRemoteBase;
  std::string text(code);
  for (const auto& [place, name] :
       {std::pair(std::string_view("SOURCE_CONFIG"), model.spec.config_class),
        std::pair(std::string_view("SOURCE_MODEL"), source_class(model)),
        std::pair(std::string_view("REGROUPED_MODEL"), own.name)}) {
    for (auto at = text.find(place); at != std::string::npos; at = text.find(place, at)) {
      text.replace(at, place.size(), name);
    }
  }
  return text;
}

}  // namespace

nlohmann::json remote_auto_map(const nlohmann::json& source, const RemoteClass& model) {
  nlohmann::json map = {{"AutoConfig", "configuration_regrouped.RegroupedConfig"}};
  map[std::string(model.auto_name)] = "modeling_regrouped." + std::string(model.name);
  if (!source.is_object()) return map;
  for (const auto& [key, name] : source.items()) {
    if (key != "AutoConfig" && !key.starts_with("AutoModel")) map[key] = name;
  }
  return map;
}

void write_mixture_code(const PretrainedModel& model, const std::filesystem::path& directory) {
  write_file_atomically(directory / "configuration_mixture.py",
                        code_for(kMixtureConfiguration, model));
  write_file_atomically(directory / "modeling_mixture.py", code_for(kMixtureModeling, model));
}

void write_remote_code(const PretrainedModel& model, const std::filesystem::path& directory) {
  write_file_atomically(directory / "configuration_regrouped.py",
                        code_for(kConfigurationCode, model));
  write_file_atomically(directory / "modeling_regrouped.py", code_for(kModelingCode, model));
}

}  // namespace regroup::models
