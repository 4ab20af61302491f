#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/text/pipeline/best_path.hpp"
#include "models/text/pipeline/byte_tokens.hpp"
#include "models/text/pipeline/vocabulary.hpp"
#include "models/text/pipeline/word_model.hpp"

namespace regroup::models {

/// A token of a unigram language model, by id.
struct ScoredToken {
  std::string text;
  double score = 0;  ///< natural logarithm of its probability
};

struct UnigramOptions {
  std::optional<std::int32_t> unknown = {};  ///< id for characters without a token
  bool byte_fallback = false;                ///< they become their bytes instead
};

/// The unigram language model of SentencePiece (Kudo, arXiv 1804.10959) as Hugging Face's library
/// applies it: of all ways to cut a word into tokens the most likely one; neighbouring unknown
/// characters are one token. A word of n bytes takes O(n · bytes of the longest token).
class Unigram : public WordModel {
 public:
  /// Throws InputError, naming `where`, if there is no token, or the unknown id is none of theirs.
  Unigram(const std::vector<ScoredToken>& tokens, const UnigramOptions& options,
          const std::string& where);
  /// `word`: valid UTF-8. Throws InputError for a character without a token where none stands for
  /// unknown ones.
  void append_ids(std::string_view word, std::vector<std::int32_t>& ids) const override;
  void for_each_part(std::string_view word, const OnPart& on_part) const override;

 private:
  BestPath<double> paths_;
  ByteTokens byte_tokens_;
  UnigramOptions options_;
  bool cuts_at_blanks_ = false;
};

}  // namespace regroup::models
