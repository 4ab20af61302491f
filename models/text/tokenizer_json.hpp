#pragma once

#include "models/text/tokenizer.hpp"

namespace regroup::models {

/// A tokenizer.json (Hugging Face): byte-level BPE or WordPiece. Where its post-processor adds
/// nothing, special tokens are added as `add_bos_token` and `add_eos_token` of `config`, a
/// tokenizer_config.json, say. Throws InputError for a broken file and for whatever it asks for
/// that is not supported.
std::unique_ptr<Tokenizer> load_tokenizer_json(const std::filesystem::path& file,
                                               const std::filesystem::path& config);

}  // namespace regroup::models
