#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/text/pipeline/byte_tokens.hpp"
#include "models/text/pipeline/merge_table.hpp"
#include "models/text/pipeline/symbol_list.hpp"
#include "models/text/pipeline/vocabulary.hpp"
#include "models/text/pipeline/word_model.hpp"

// Written here because Hugging Face's tokenizers is a Rust library without a C++ interface or a
// Debian package; libsentencepiece reads its own files only.
namespace regroup::models {

/// Two neighbouring symbols that become one; which comes first in the file is done first.
struct Merge {
  std::string left;
  std::string right;
};

struct BpeOptions {
  bool bytes = false;          ///< words are bytes, each a symbol, written in `byte_alphabet()`
  bool whole_words = false;    ///< a word that is a token is not taken apart (`ignore_merges`)
  bool byte_fallback = false;  ///< a character without a token becomes its bytes
  std::optional<std::string> unknown = {};  ///< token for one without; none: it is left out
  bool fuse_unknown = false;                ///< neighbouring unknown ones are one token
  std::string continuation = {};  ///< before symbols that do not begin a word, as in the file
  std::string ending = {};        ///< behind the symbol that ends a word
};

/// Byte-pair encoding (Sennrich et al., arXiv 1508.07909; over bytes: GPT-2).
///
/// A word begins as its characters, or its bytes. As long as two neighbours have a merge, those of
/// the earliest merge become one symbol, from left to right. A word of n symbols takes O(n log n).
class Bpe : public WordModel {
 public:
  /// `where` names the merges. Throws InputError when one has a part or a result that is not in the
  /// vocabulary, or the unknown token is not.
  Bpe(Vocabulary vocabulary, const std::vector<Merge>& merges, const BpeOptions& options,
      const std::string& where);
  /// `word`: valid UTF-8, any bytes if they are the symbols; fewer than 2,147,483,648.
  void append_ids(std::string_view word, std::vector<std::int32_t>& ids) const override;
  void for_each_part(std::string_view word, const OnPart& on_part) const override;

 private:
  class Symbols;

  void add_merge(const Merge& merge, std::int32_t rank, const std::string& where);
  std::optional<std::int32_t> whole_word(std::string_view word) const;
  void append_bytes(std::string_view word, Symbols& symbols) const;
  void append_characters(std::string_view word, Symbols& symbols) const;
  std::optional<std::int32_t> id_of_character(std::string_view character, bool first,
                                              bool last) const;

  static constexpr std::size_t kBytes = 256;
  Vocabulary vocabulary_;
  BpeOptions options_;
  std::array<std::optional<std::int32_t>, kBytes> byte_ids_;  // of single bytes as symbols
  ByteTokens byte_tokens_;
  MergeTable merges_;
  std::optional<std::int32_t> unknown_;
  bool cuts_at_blanks_ = false;
};

/// The merge of a line such as "Ġ t". Throws InputError, naming `where`, unless it is two tokens
/// with one blank between them.
Merge split_merge(std::string_view line, const std::string& where);

/// The merges of a merges.txt, one a line after the line "#version: …"; `where` names the file.
/// Throws InputError for a line that is none.
std::vector<Merge> parse_merges(std::string_view text, const std::string& where);

}  // namespace regroup::models
