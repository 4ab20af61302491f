#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace regroup::models {

/// What tokenizer_config.json says of a tokenizer; all of it is absent where the file is.
struct TokenizerConfig {
  bool add_begin = false;                 ///< `add_bos_token`
  bool add_end = false;                   ///< `add_eos_token`
  std::optional<std::string> begin = {};  ///< `bos_token`
  std::optional<std::string> end = {};
  std::optional<std::string> unknown = {};
  std::optional<std::string> padding = {};
  std::optional<std::string> class_name = {};  ///< `tokenizer_class`
  bool add_prefix_space = false;
};

/// Reads tokenizer_config.json. Throws InputError for a broken file; one that is not there says
/// nothing.
TokenizerConfig read_tokenizer_config(const std::filesystem::path& file);

}  // namespace regroup::models
