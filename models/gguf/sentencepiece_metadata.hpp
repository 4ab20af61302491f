#pragma once

#include <filesystem>

#include "models/architecture/model_config.hpp"
#include "models/gguf/gguf_metadata.hpp"

namespace regroup::models {

/// What GGUF says of a SentencePiece model: BPE as "llama", unigram as "t5". Tokens of
/// added_tokens.json and of "added_tokens_decoder" in tokenizer_config.json beside the file, for
/// which the model has rows, are among its tokens. Throws InputError for a broken file, and for
/// what llama.cpp does not do: normalize text or merge blanks before BPE, BPE without bytes for
/// characters that it lacks, unigram with them.
GgufMetadata sentencepiece_metadata(const std::filesystem::path& file, const ModelConfig& config);

}  // namespace regroup::models
