#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "models/architecture/architecture_spec.hpp"

namespace regroup::models {

/// A family's keys, parsed: for the table of families and for tests.
struct ConfigKeyLists {
  nlohmann::json read;     ///< object: the class's defaults
  nlohmann::json neutral;  ///< object: the values that must stand there
  std::vector<std::string> ignored;
};
ConfigKeyLists config_keys(const ArchitectureSpec& spec);

/// config.json as the family's class reads it: keys under their own names, and the class's defaults
/// in place of absent ones. Throws InputError, by name, for a key whose value is not supported.
nlohmann::json resolved_config(const nlohmann::json& config, const ArchitectureSpec& spec,
                               const std::string& where);

/// The keys of config.json that neither the family's class nor any model's config is known to have,
/// in their order there.
std::vector<std::string> unknown_keys(const nlohmann::json& config, const ArchitectureSpec& spec);

/// Whether config.json lists an architecture of this name.
bool names_architecture(const nlohmann::json& config, std::string_view name);

/// Whether config.json is a converted checkpoint's with heads by layer ("base_architecture"), and
/// its source's class has this name.
bool is_converted_from(const nlohmann::json& config, std::string_view name);

/// Whether config.json names the family's class without a head, or is converted from one.
bool names_base_model(const nlohmann::json& config, const ArchitectureSpec& spec);

}  // namespace regroup::models
