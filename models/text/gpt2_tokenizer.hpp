#pragma once

#include <memory>
#include <vector>

#include "models/text/pipeline/added_tokens.hpp"
#include "models/text/pipeline/bpe.hpp"
#include "models/text/special_ids.hpp"
#include "models/text/tokenizer.hpp"
#include "models/text/tokenizer_config.hpp"

namespace regroup::models {

/// A byte-level BPE from vocab.json and merges.txt in `directory`, with tokenizer_config.json and
/// the files beside it where those are. `tokenizer_class`, else the model's type, says how text is
/// cut: as GPT-2's, Qwen2's or RoBERTa's. Throws InputError for broken files, and where it names
/// another tokenizer: the same two files then mean something else.
std::unique_ptr<Tokenizer> load_byte_level_files(const std::filesystem::path& directory);

/// The tokenizer of a file of tiktoken's text form, a token in base 64 and its rank a line, which
/// cuts text as Llama 3's. Throws InputError for a broken one; `where` names it.
std::unique_ptr<Tokenizer> make_tiktoken_tokenizer(std::string_view text, TokenizerConfig config,
                                                   const std::string& where);

/// Whether a file, by its first line, is of that form.
bool is_tiktoken(std::string_view text);

/// What the files of GPT-2's tokenizer say.
struct Gpt2Files {
  Vocabulary vocabulary;
  std::vector<Merge> merges;
  std::vector<AddedToken> added;
  SpecialIds special;
  TokenizerConfig config;
};

/// Reads them. Throws InputError as load_byte_level_files, and for another tokenizer than GPT-2's.
Gpt2Files read_gpt2_files(const std::filesystem::path& directory);

}  // namespace regroup::models
