#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "models/text/pipeline/added_tokens.hpp"
#include "models/text/pipeline/vocabulary.hpp"
#include "models/text/tokenizer_config.hpp"

namespace regroup::models {

/// Ids that stand before and after those of a text, such as begin- and end-of-sequence.
struct SpecialIds {
  std::vector<std::int32_t> before;
  std::vector<std::int32_t> after;
};

/// The `post_processor` of a tokenizer.json, null for none: TemplateProcessing, BertProcessing,
/// RobertaProcessing, ByteLevel (adds nothing) or a Sequence of these. Throws InputError for
/// another one and for broken fields; `where` names the object.
SpecialIds read_post_processor(const nlohmann::json& node, const std::string& where);

/// Adds what tokenizer_config.json asks for by `add_bos_token` and `add_eos_token` on a side where
/// nothing stands yet. Throws InputError, naming `where`, when that token is neither an added one
/// nor in the vocabulary.
void add_configured_ids(SpecialIds& special, const TokenizerConfig& config,
                        const std::vector<AddedToken>& added, const Vocabulary& vocabulary,
                        const std::string& where);

/// The id of a token, an added one or one of the vocabulary.
std::optional<std::int32_t> id_of(const std::string& token, const std::vector<AddedToken>& added,
                                  const Vocabulary& vocabulary);

/// The id of `bos_token` in tokenizer_config.json, else that of `eos_token`, where it names one
/// that the tokenizer has.
std::optional<std::int32_t> prefix_id(const TokenizerConfig& config,
                                      const std::vector<AddedToken>& added,
                                      const Vocabulary& vocabulary);

/// Adds the tokens that `config` has and `added` does not: with their id in the vocabulary, else
/// their own if it is free, else the next free one.
void add_configured_tokens(std::vector<AddedToken>& added, const TokenizerConfig& config,
                           const Vocabulary& vocabulary);

/// The ids of the special tokens that tokenizer_config.json names and the tokenizer has.
std::vector<std::int32_t> special_token_ids(const TokenizerConfig& config,
                                            const std::vector<AddedToken>& added,
                                            const Vocabulary& vocabulary);

}  // namespace regroup::models
