#pragma once

#include <filesystem>

namespace regroup::models {

/// Copies what a checkpoint directory holds besides weights and config.json and what a converted
/// model needs too: tokenizer, generation and preprocessor files, licences. Throws WorkError.
void copy_companion_files(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace regroup::models
