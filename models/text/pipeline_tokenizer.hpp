#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "models/text/pipeline/added_tokens.hpp"
#include "models/text/pipeline/decoder.hpp"
#include "models/text/pipeline/normalizer.hpp"
#include "models/text/pipeline/pre_tokenizer.hpp"
#include "models/text/pipeline/word_model.hpp"
#include "models/text/special_ids.hpp"
#include "models/text/tokenizer.hpp"

namespace regroup::models {

/// A tokenizer as Hugging Face's library takes it apart, in the order of the work: added tokens are
/// found in the text, the rest is normalized and searched again for the tokens that are looked for
/// in normalized text, what then lies between is cut into words, and the model turns each into ids.
struct TokenizerParts {
  std::vector<AddedToken> added;
  Normalizer normalizer;
  ByteAwarePreTokenizer pre_tokenizer;
  std::unique_ptr<WordModel> model;
  Decoder decoder;  ///< of the model's tokens alone
  SpecialIds special;
  std::vector<std::int32_t> left_out;  ///< special tokens beside those among `added`
  std::optional<std::int32_t> prefix;  ///< Tokenizer::prefix
  int vocabulary = 0;                  ///< ids that the model gives, less added tokens
};

/// The tokenizer of these parts; what is added, and what is special, is made known to the decoder.
std::unique_ptr<Tokenizer> make_pipeline_tokenizer(TokenizerParts parts);

}  // namespace regroup::models
