#pragma once

#include <optional>
#include <vector>

#include "models/text/pipeline/byte_trie.hpp"
#include "models/text/pipeline/merge_table.hpp"
#include "models/text/pipeline/vocabulary.hpp"
#include "models/text/pipeline/word_model.hpp"
#include "models/text/unknown_pieces.hpp"

namespace regroup::models {

/// SentencePiece's BPE: of all neighbours that are a piece together, those of the highest score
/// become one, from left to right, until there are none. Symbols that the user defined stay whole;
/// pieces that are marked as unused are taken apart again.
/// A text of n characters takes O(n log n). A model of characters is one without merges.
class PieceBpe : public WordModel {
 public:
  explicit PieceBpe(const SentencePieceModel& model);
  void append_ids(std::string_view word, std::vector<std::int32_t>& ids) const override;
  void for_each_part(std::string_view word, const OnPart& on_part) const override;

 private:
  void add_symbols(const SentencePieceModel& model);
  void add_merges(const SentencePieceModel& model);
  void add_merges_of(std::string_view piece, MergeResult result);
  struct Word;
  void append_symbol(std::int32_t id, std::string_view text, Word& word,
                     std::vector<std::int32_t>& ids) const;
  std::size_t defined_length(std::string_view text) const;

  Vocabulary symbols_;  ///< pieces, and the characters of them that are none by themselves
  ByteTrie user_defined_;
  MergeTable merges_;
  UnknownPieces unknown_;
  std::vector<bool> unused_;  ///< by id, of the pieces; empty where there are none
  std::int32_t pieces_;
  std::int32_t unknown_symbol_ = 0;  ///< of characters in no piece: behind all pieces and symbols
  bool cuts_at_blanks_ = false;
};

}  // namespace regroup::models
