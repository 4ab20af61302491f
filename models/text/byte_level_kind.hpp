#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "models/text/gpt2_tokenizer.hpp"

namespace regroup::models {

/// What a class of transformers makes of a vocabulary and merges of bytes.
struct ByteLevelKind {
  std::string_view name;           ///< `tokenizer_class`
  std::string_view normalizer;     ///< as in a tokenizer.json; empty: none
  std::string_view pre_tokenizer;  ///< likewise; empty: GPT-2's
  std::string_view special;        ///< tokenizer_config.json's fields where it does not have them
  bool whole_words = false;        ///< `ignore_merges`
  bool encloses = false;           ///< a text stands between `cls_token` and `sep_token`
};

/// Null for another class.
const ByteLevelKind* find_byte_level_kind(std::string_view class_name);
/// tiktoken's text form, which no class stands for.
const ByteLevelKind& tiktoken_kind();

/// Fills in all but vocabulary, which is there already, and merges. Throws InputError, naming
/// `where`, for a token that must be there and is not.
void complete(Gpt2Files& files, const ByteLevelKind& kind, TokenizerConfig config,
              const std::string& where);

/// The tokenizer; `where` names the merges.
std::unique_ptr<Tokenizer> make_byte_level_tokenizer(const ByteLevelKind& kind, Gpt2Files files,
                                                     const std::string& where);

}  // namespace regroup::models
