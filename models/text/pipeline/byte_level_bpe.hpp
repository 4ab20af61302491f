#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

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
  bool whole_words = false;  ///< a word that is a token is not taken apart (`ignore_merges`)
  std::optional<std::string> unknown = {};  ///< token for a byte without one; none: it is left out
  bool fuse_unknown = false;                ///< neighbouring unknown bytes are one token
};

/// Byte-pair encoding over bytes (Sennrich et al., arXiv 1508.07909; over bytes: GPT-2).
///
/// A word begins as its bytes. As long as two neighbours have a merge, those of the earliest merge
/// become one symbol, from left to right. A word of n bytes takes O(n log n).
///
/// In files a byte is written as a printable character: `byte_alphabet()`.
class ByteLevelBpe : public WordModel {
 public:
  /// `where` names the merges. Throws InputError when one has a part or a result that is not in the
  /// vocabulary, or the unknown token is not.
  ByteLevelBpe(Vocabulary vocabulary, const std::vector<Merge>& merges, const BpeOptions& options,
               const std::string& where);
  /// `word`: any bytes, fewer than 2,147,483,648.
  void append_ids(std::string_view word, std::vector<std::int32_t>& ids) const override;

 private:
  struct Result {
    std::int32_t rank;
    std::int32_t id;
  };
  class Word;

  void add_merge(const Merge& merge, std::int32_t rank, const std::string& where);
  const Result* find_merge(std::int32_t left, std::int32_t right) const;
  std::optional<std::int32_t> whole_word(std::string_view word) const;

  static constexpr std::size_t kBytes = 256;
  Vocabulary vocabulary_;
  std::array<std::optional<std::int32_t>, kBytes> byte_ids_;
  std::unordered_map<std::uint64_t, Result> merges_;  // by left id · 2³² + right id
  bool whole_words_;
  std::optional<std::int32_t> unknown_;
  bool fuse_unknown_;
};

/// The characters by which GPT-2's files write the bytes 0 to 255, as UTF-8: printable bytes of
/// Latin-1 stand for themselves, the others are U+0100 and on in their order. Example: a blank is
/// "Ġ".
const std::array<std::string, 256>& byte_alphabet();

/// The merge of a line such as "Ġ t". Throws InputError, naming `where`, unless it is two tokens
/// with one blank between them.
Merge split_merge(std::string_view line, const std::string& where);

/// The merges of a merges.txt, one a line after the line "#version: …"; `where` names the file.
/// Throws InputError for a line that is none.
std::vector<Merge> parse_merges(std::string_view text, const std::string& where);

}  // namespace regroup::models
