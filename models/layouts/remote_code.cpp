#include "models/layouts/converted_config.hpp"

#include <nlohmann/json.hpp>
#include <string>

#include "models/files/atomic_file.hpp"
#include "models/layouts/remote/resources.hpp"

namespace regroup::models {
namespace {

constexpr std::string_view kSuffix = "ForCausalLM";
/// What stands in the code for the family's name, "Llama".
constexpr std::string_view kFamily = "FAMILY";

std::string with_family(std::string_view code, std::string_view family) {
  std::string text(code);
  for (auto at = text.find(kFamily); at != std::string::npos; at = text.find(kFamily, at)) {
    text.replace(at, kFamily.size(), family);
  }
  return text;
}

}  // namespace

nlohmann::json remote_auto_map(const nlohmann::json& source) {
  nlohmann::json map = {{"AutoConfig", "configuration_regrouped.RegroupedConfig"},
                        {"AutoModelForCausalLM", "modeling_regrouped.RegroupedForCausalLM"}};
  if (!source.is_object()) return map;
  for (const auto& [key, name] : source.items()) {
    if (key != "AutoConfig" && !key.starts_with("AutoModel")) map[key] = name;
  }
  return map;
}

void write_remote_code(const PretrainedModel& model, const std::filesystem::path& directory) {
  std::string_view family = model.spec.architecture;
  family.remove_suffix(kSuffix.size());
  write_file_atomically(directory / "configuration_regrouped.py",
                        with_family(kConfigurationCode, family));
  write_file_atomically(directory / "modeling_regrouped.py", with_family(kModelingCode, family));
}

}  // namespace regroup::models
