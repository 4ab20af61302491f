#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/gguf/gguf_metadata.hpp"

namespace regroup::models {

/// What a token is; the values are those of `tokenizer.ggml.token_type`.
enum class TokenType : std::int32_t {
  kNormal = 1,
  kUnknown = 2,
  kControl = 3,
  kUserDefined = 4,
  kUnused = 5,
  kByte = 6,
};

/// The tokens of a GGUF file by id, as many as the model has rows. Ids that no token claims are
/// unused ones, "[PAD7]".
class GgufVocabulary {
 public:
  explicit GgufVocabulary(int size);

  bool holds(std::int32_t id) const { return id >= 0 && id < static_cast<int>(texts_.size()); }
  /// Sets a token that the vocabulary holds; a later one takes the place of the one before.
  void set(std::int32_t id, std::string text, float score, TokenType type);

  /// Appends the lists of texts and types, and of scores where the kind of tokenizer has them.
  /// Throws InputError, naming `where`, if a text is empty or stands twice, which llama.cpp does
  /// not read.
  void append_to(GgufMetadata& metadata, bool scores, const std::string& where) const;

 private:
  std::vector<std::string> texts_;
  std::vector<float> scores_;
  std::vector<std::int32_t> types_;
};

/// Throws InputError unless the model has a row for every token of its tokenizer.
void require_rows(std::size_t tokens, int rows, const std::string& where);

}  // namespace regroup::models
