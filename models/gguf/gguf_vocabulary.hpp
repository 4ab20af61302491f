#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/checkpoint/gguf/gguf_metadata.hpp"
#include "models/text/sentencepiece_model.hpp"

namespace regroup::models {

/// The tokens of a GGUF file by id, as many as the model has rows. Ids that no token claims are
/// unused ones, "[PAD7]".
class GgufVocabulary {
 public:
  explicit GgufVocabulary(int size);

  bool holds(std::int32_t id) const { return id >= 0 && id < static_cast<int>(texts_.size()); }
  /// Sets a token that the vocabulary holds; a later one takes the place of the one before.
  /// `tokenizer.ggml.token_type` has SentencePiece's types and their values.
  void set(std::int32_t id, std::string text, float score, PieceType type);

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
