#pragma once

#include <vector>

#include "models/text/pipeline/added_tokens.hpp"
#include "models/text/pipeline/byte_level_bpe.hpp"
#include "models/text/special_ids.hpp"
#include "models/text/tokenizer.hpp"
#include "models/text/tokenizer_config.hpp"

namespace regroup::models {

/// GPT-2's tokenizer from vocab.json and merges.txt in `directory`, with added_tokens.json and
/// tokenizer_config.json where those are. Throws InputError for broken files, and where
/// `tokenizer_class` names another tokenizer: the same two files then mean something else.
std::unique_ptr<Tokenizer> load_gpt2_tokenizer(const std::filesystem::path& directory);

/// What the files of GPT-2's tokenizer say.
struct Gpt2Files {
  Vocabulary vocabulary;
  std::vector<Merge> merges;
  std::vector<AddedToken> added;
  SpecialIds special;
  TokenizerConfig config;
};

/// Reads them. Throws InputError as load_gpt2_tokenizer.
Gpt2Files read_gpt2_files(const std::filesystem::path& directory);

}  // namespace regroup::models
