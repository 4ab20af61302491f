#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "models/architecture/model_config.hpp"
#include "models/gguf/gguf_metadata.hpp"
#include "models/pretrained/pretrained_model.hpp"

namespace regroup::models {

/// What GGUF says of a model's tokenizer and chat template. Throws InputError if there is no
/// tokenizer, it is broken, or llama.cpp would cut text otherwise than it does.
GgufMetadata gguf_tokenizer(const PretrainedModel& model);

/// The same of a file that is to be read without a tokenizer: by token ids alone.
GgufMetadata gguf_without_tokenizer();

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

/// What GGUF says of a SentencePiece model: BPE as "llama", unigram as "t5". Tokens of
/// added_tokens.json and of "added_tokens_decoder" in tokenizer_config.json beside the file, for
/// which the model has rows, are among its tokens. Throws InputError for a broken file, and for
/// what llama.cpp does not do: normalize text or merge blanks before BPE, BPE without bytes for
/// characters that it lacks, unigram with them.
GgufMetadata sentencepiece_metadata(const std::filesystem::path& file, const ModelConfig& config);

/// Tokens that a tokenizer singles out; absent where it has none.
struct SpecialTokens {
  std::optional<std::int32_t> begin;
  std::optional<std::int32_t> end;
  std::optional<std::int32_t> unknown;
  std::optional<std::int32_t> padding;
  bool add_begin = false;  ///< before a text
  bool add_end = false;    ///< after it
};

/// Appends their ids, and which of them enclose a text.
void append_special_tokens(GgufMetadata& metadata, const SpecialTokens& tokens);

}  // namespace regroup::models
