#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "models/architecture/model_config.hpp"
#include "models/checkpoint/gguf/gguf_metadata.hpp"
#include "models/pretrained/pretrained_model.hpp"
#include "models/text/pipeline/added_tokens.hpp"
#include "models/text/pipeline/vocabulary.hpp"
#include "models/text/special_ids.hpp"
#include "models/text/tokenizer_config.hpp"

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

/// What GGUF says of a tokenizer.json whose BPE works on pieces with blanks as "▁" and falls back
/// to bytes, as those of Llama and Gemma do: a SentencePiece model, "llama". A token's score is the
/// place of its merges. Throws InputError for broken files, and where merging by scores would not
/// be merging by rank: pairs of tokens that make a token and have no merge, or merges of one token
/// among those of another; and for what llama.cpp does not do with the text before.
GgufMetadata piece_bpe_metadata(const std::filesystem::path& directory, const ModelConfig& config);

/// Whether the model of a tokenizer.json is such a BPE. Throws InputError for a broken file.
bool has_piece_bpe(const std::filesystem::path& file);

/// What a BPE does with the words that its pre-tokenizer gives it.
struct WordRules {
  bool whole_words = false;   ///< a word that is a token is not taken apart (`ignore_merges`)
  bool joins_digits = false;  ///< a merge joins what ends in a digit and what begins with one
};

/// llama.cpp's name of a "pre_tokenizer", by what it does: the first of llama_cpp_patterns that
/// cuts text by the same expressions, such as "gpt-2", "qwen2" or "tekken". Throws InputError,
/// naming `where`, for one that it does not know.
std::string llama_cpp_pre_tokenizer(const nlohmann::json& pre_tokenizer, const WordRules& rules,
                                    const std::string& where);

/// What GGUF says of a SentencePiece model: BPE as "llama", unigram as "t5". Tokens of
/// added_tokens.json, of "added_tokens_decoder" in tokenizer_config.json and of "added_tokens" in
/// tokenizer.json beside the file, for which the model has rows, are among its tokens, under their
/// own names, as control tokens where they are special, else as the user's. Throws InputError for a
/// broken file, and for what llama.cpp does not do: normalize text or merge blanks before BPE, BPE
/// without bytes for characters that it lacks, unigram with them.
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

/// Those of a tokenizer whose files say this; where they leave begin or end open, those of the
/// model. Throws InputError, naming `where`, for several tokens on a side of a text.
SpecialTokens special_tokens_of(const TokenizerConfig& config, const SpecialIds& around,
                                const std::vector<AddedToken>& added, const Vocabulary& vocabulary,
                                const ModelConfig& model, const std::string& where);

/// Throws InputError: llama.cpp would cut text otherwise than the tokenizer that `where` names.
[[noreturn]] void refuse_for_llama_cpp(const std::string& where, const std::string& expected,
                                       const std::string& found);

/// Appends their ids, and which of them enclose a text.
void append_special_tokens(GgufMetadata& metadata, const SpecialTokens& tokens);

}  // namespace regroup::models
