#pragma once

#include "models/text/tokenizer.hpp"

namespace regroup::models {

/// A SentencePiece model, read by libsentencepiece. Special tokens are added as `add_bos_token` and
/// `add_eos_token` of tokenizer_config.json say; without that file none are. Throws InputError for
/// a broken file.
std::unique_ptr<Tokenizer> load_sentencepiece(const std::filesystem::path& model,
                                              const std::filesystem::path& config);

}  // namespace regroup::models
