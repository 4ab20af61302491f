#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace regroup::models {

/// The `precompiled_charsmap` of SentencePiece: texts and what stands in their place. Its keys are
/// a double-array trie in the format of Darts-clone. Immutable and thread-safe.
class CharacterMap {
 public:
  /// Maps nothing.
  CharacterMap() = default;
  /// Of the bytes as they stand in a model file; empty: maps nothing. Throws InputError, naming
  /// `where`, for bytes that are no map.
  CharacterMap(std::string_view bytes, const std::string& where);

  bool empty() const { return units_.empty(); }

  struct Match {
    std::size_t length;            ///< bytes of the key
    std::string_view replacement;  ///< in the map
  };
  /// The longest key that `text` begins with: how SentencePiece uses the map.
  std::optional<Match> longest(std::string_view text) const;
  /// The shortest one: how Hugging Face's library does.
  std::optional<Match> shortest(std::string_view text) const;

  /// Text as Hugging Face's normalizer Precompiled maps it: grapheme clusters of fewer than 6 bytes
  /// as a whole, the characters of others one by one. Takes and gives valid UTF-8.
  std::string mapped_clusters(std::string_view text) const;

 private:
  template <class Visit>
  void for_each_match(std::string_view text, const Visit& visit) const;
  void append_mapped(std::string_view part, std::string& result) const;

  std::vector<std::uint32_t> units_;
  std::string replacements_;  // each ends with a zero byte
};

}  // namespace regroup::models
