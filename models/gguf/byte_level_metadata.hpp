#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "models/architecture/model_config.hpp"
#include "models/gguf/gguf_metadata.hpp"

namespace regroup::models {

/// What GGUF says of a byte-level BPE, tokenizer.json or vocab.json with merges.txt in `directory`.
/// Text is taken to be in Unicode's normal form C where the tokenizer makes it so, which llama.cpp
/// does not. Throws InputError for broken files and for what llama.cpp does not do: another
/// normalizer, another model, a blank put before the text, several tokens around it, a
/// pre-tokenizer that it does not know.
GgufMetadata byte_level_metadata(const std::filesystem::path& directory, const ModelConfig& config);

/// llama.cpp's name of a "pre_tokenizer": "gpt-2", "smollm", "qwen2", "llama-bpe" or, where words
/// that are tokens are taken apart all the same (`whole_words` is false), "smaug-bpe". Throws
/// InputError, naming `where`, for one that it does not know.
std::string llama_cpp_pre_tokenizer(const nlohmann::json& pre_tokenizer, bool whole_words,
                                    const std::string& where);

}  // namespace regroup::models
