#pragma once

#include <string>
#include <string_view>

#include "models/text/pipeline/byte_trie.hpp"
#include "models/text/pipeline/character_map.hpp"
#include "models/text/sentencepiece_model.hpp"

namespace regroup::models {

/// What SentencePiece does to text before it cuts it: characters are mapped, but for symbols that
/// the user defined; extra blanks are left out, a blank is put before the text or behind it, and
/// all blanks become visible (U+2581). Immutable and thread-safe.
class SentencePieceNormalizer {
 public:
  /// Throws InputError, naming `where`, if the model's character map is broken.
  SentencePieceNormalizer(const SentencePieceModel& model, const std::string& where);
  /// Of valid UTF-8 text. `blank`: with the blank that the model puts before or behind a text.
  std::string operator()(std::string_view text, bool blank) const;
  /// Whether the model leaves out blanks at the ends of a text.
  bool merges_blanks() const { return merges_blanks_; }

 private:
  struct Mapped {
    std::size_t length;  ///< bytes of the text
    std::string_view text;
  };
  Mapped next(std::string_view text) const;

  CharacterMap map_;
  ByteTrie user_defined_;
  bool blank_before_;
  bool blank_after_;
  bool merges_blanks_;
};

}  // namespace regroup::models
