#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "models/text/pipeline/added_tokens.hpp"
#include "models/text/special_ids.hpp"
#include "models/text/tokenizer.hpp"
#include "models/text/tokenizer_config.hpp"
#include "models/text/word_models.hpp"

namespace regroup::models {

/// A tokenizer.json (Hugging Face), built from its parts, with the tokenizer_config.json beside it.
/// Of `tokenizer_class` only LlamaTokenizer changes what the file says (`rebuild_as_llama_class`).
/// Where its post-processor adds nothing, special tokens are added as `add_bos_token` and
/// `add_eos_token` say. Throws InputError for a broken file and for whatever it asks for that is
/// not supported.
std::unique_ptr<Tokenizer> load_tokenizer_json(const std::filesystem::path& file);

/// What a tokenizer.json says, as far as all kinds of it are alike.
struct TokenizerJson {
  nlohmann::json file;
  std::string where;         ///< of the file, for messages
  std::string config_where;  ///< of its tokenizer_config.json
  Vocabulary vocabulary;
  std::vector<AddedToken> added;
  SpecialIds special;
  TokenizerConfig config;

  const nlohmann::json& model() const { return file["model"]; }
  /// A part of the file, "normalizer"; null where it is absent.
  const nlohmann::json& part(const char* key) const;
  std::string part_where(const char* key) const;
};

/// Reads a tokenizer.json and its tokenizer_config.json. Throws InputError as load_tokenizer_json.
TokenizerJson read_tokenizer_json(const std::filesystem::path& file,
                                  const std::filesystem::path& config);

/// The same of what is in memory already; the `…where` name them in messages.
TokenizerJson parse_tokenizer_json(nlohmann::json file, const std::string& where,
                                   TokenizerConfig config, const std::string& config_where);

/// The tokenizer that it describes. Throws InputError as load_tokenizer_json.
std::unique_ptr<Tokenizer> make_tokenizer(TokenizerJson source);

}  // namespace regroup::models
