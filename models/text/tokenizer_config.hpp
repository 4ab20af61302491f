#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "models/text/pipeline/added_tokens.hpp"

namespace regroup::models {

/// What tokenizer_config.json says of a tokenizer, with special_tokens_map.json and
/// added_tokens.json beside it; all of it is absent where the files are.
struct TokenizerConfig {
  bool add_begin = false;                 ///< `add_bos_token`
  bool add_end = false;                   ///< `add_eos_token`
  std::optional<std::string> begin = {};  ///< `bos_token`
  std::optional<std::string> end = {};
  std::optional<std::string> unknown = {};
  std::optional<std::string> padding = {};
  std::optional<std::string> separator = {};       ///< `sep_token`
  std::optional<std::string> classification = {};  ///< `cls_token`
  std::optional<std::string> mask = {};
  std::vector<AddedToken> named = {};  ///< all of these, as they are found in text; ids are not set
  std::vector<AddedToken> added = {};  ///< `added_tokens_decoder`, or added_tokens.json
  std::optional<std::string> class_name = {};  ///< `tokenizer_class`, without "Fast"
  bool llama_class = false;  ///< transformers reads the files as its LlamaTokenizer
  bool add_prefix_space = false;
  bool no_prefix_space = false;  ///< `add_prefix_space` is false, not just absent
  bool legacy = false;  ///< a blank before every part between added tokens, not the first alone
  std::optional<std::int64_t> extra_ids = {};  ///< sentinels of T5's
  bool lower_case = true;                      ///< `do_lower_case`
  bool separate_ideographs = true;             ///< `tokenize_chinese_chars`
  std::optional<bool> strip_accents = {};
};

/// Reads tokenizer_config.json and the files beside it. Throws InputError for a broken file; one
/// that is not there says nothing.
TokenizerConfig read_tokenizer_config(const std::filesystem::path& file);

/// The same for a model's directory; where it names no class, `tokenizer_class` of config.json
/// counts, else the class that goes with its `model_type`.
TokenizerConfig read_directory_config(const std::filesystem::path& directory);

/// What an object of tokenizer_config.json says. Throws InputError; `where` names it.
TokenizerConfig parse_tokenizer_config(const nlohmann::json& object, const std::string& where);

}  // namespace regroup::models
