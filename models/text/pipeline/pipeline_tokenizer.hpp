#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "models/text/pipeline/added_tokens.hpp"
#include "models/text/pipeline/normalizer.hpp"
#include "models/text/pipeline/pre_tokenizer.hpp"
#include "models/text/pipeline/special_ids.hpp"
#include "models/text/pipeline/word_model.hpp"
#include "models/text/tokenizer.hpp"

namespace regroup::models {

/// A tokenizer as Hugging Face's library takes it apart, in the order of the work: added tokens are
/// found in the text, the rest is normalized and searched again for the tokens that are looked for
/// in normalized text, what then lies between is cut into words, and the model turns each into ids.
struct TokenizerParts {
  std::vector<AddedToken> added;
  Normalizer normalizer;
  PreTokenizer pre_tokenizer;
  std::unique_ptr<WordModel> model;
  SpecialIds special;
  std::optional<std::int32_t> prefix;  ///< Tokenizer::prefix
  int vocabulary = 0;                  ///< ids that the model gives, less added tokens
};

std::unique_ptr<Tokenizer> make_pipeline_tokenizer(TokenizerParts parts);

}  // namespace regroup::models
