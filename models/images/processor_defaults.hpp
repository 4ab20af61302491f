#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace regroup::models {

/// Every field that an image processor of transformers 5 honours, with the value that its class
/// gives it; null where it has none. `config` is a preprocessor_config.json, which names the class
/// (none: ViT's), `where` the file. Throws InputError for a class that is not known.
nlohmann::json processor_defaults(const nlohmann::json& config, const std::string& where);

}  // namespace regroup::models
