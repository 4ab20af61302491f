#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "models/text/pipeline/vocabulary.hpp"
#include "models/text/pipeline/word_model.hpp"

namespace regroup::models {

struct WordPieceOptions {
  std::string unknown = "[UNK]";
  std::string continuation = "##";     ///< stands before a token that does not begin a word
  std::int64_t most_characters = 100;  ///< a longer word is unknown
};

/// WordPiece as BERT applies it (arXiv 1609.08144; BERT: arXiv 1810.04805): from the word's
/// beginning, always the longest token that fits; a word of which any part has none is unknown as a
/// whole. A word of n bytes takes O(n · bytes of the longest token).
class WordPiece : public WordModel {
 public:
  /// Throws InputError, naming `where`, when the unknown token is not in the vocabulary.
  WordPiece(Vocabulary vocabulary, WordPieceOptions options, const std::string& where);
  /// `word`: valid UTF-8.
  void append_ids(std::string_view word, std::vector<std::int32_t>& ids) const override;

 private:
  bool append_pieces(std::string_view word, std::vector<std::int32_t>& ids) const;

  Vocabulary vocabulary_;
  WordPieceOptions options_;
  std::int32_t unknown_ = 0;
};

}  // namespace regroup::models
