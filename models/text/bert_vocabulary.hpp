#pragma once

#include <filesystem>
#include <memory>

#include "models/text/tokenizer.hpp"

namespace regroup::models {

/// BERT's tokenizer from vocab.txt in `directory`, a token a line, with tokenizer_config.json and
/// the files beside it where those are. Throws InputError for broken files, and where
/// `tokenizer_class` names another tokenizer.
std::unique_ptr<Tokenizer> load_bert_vocabulary(const std::filesystem::path& directory);

}  // namespace regroup::models
