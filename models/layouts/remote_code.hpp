#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "models/pretrained/pretrained_model.hpp"

namespace regroup::models {

/// Entry of "architectures" that engines with Nemotron-NAS of their own know.
inline constexpr std::string_view kNemotronArchitecture = "DeciLMForCausalLM";
/// The same for what only the code beside the weights reads.
inline constexpr std::string_view kRemoteArchitecture = "RegroupedForCausalLM";
inline constexpr std::string_view kRemoteModelType = "nemotron-nas";

/// config.json's "auto_map": where transformers finds the classes (`trust_remote_code`).
nlohmann::json remote_auto_map();

/// Writes the model code for checkpoints whose layers have their own numbers of heads: two Python
/// files that derive from the source family's classes in transformers. Throws WorkError.
void write_remote_code(const PretrainedModel& model, const std::filesystem::path& directory);

}  // namespace regroup::models
