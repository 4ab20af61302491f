#pragma once

#include "models/text/tokenizer.hpp"

namespace regroup::models {

/// GPT-2's tokenizer from vocab.json and merges.txt in `directory`, with added_tokens.json and
/// tokenizer_config.json where those are. Throws InputError for broken files, and where
/// `tokenizer_class` names another tokenizer: the same two files then mean something else.
std::unique_ptr<Tokenizer> load_gpt2_tokenizer(const std::filesystem::path& directory);

}  // namespace regroup::models
