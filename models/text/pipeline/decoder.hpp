#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>

#include "models/text/pipeline/added_tokens.hpp"
#include "models/text/pipeline/vocabulary.hpp"

namespace regroup::models {

/// Token ids back to text, as the decoders ByteLevel and WordPiece of Hugging Face's library do it.
/// Immutable once built, and then thread-safe.
class Decoder {
 public:
  /// Of a byte-level BPE: tokens are bytes, put one after another.
  static Decoder of_bytes(const Vocabulary& vocabulary);
  /// Of a WordPiece: a blank before every token but the first and those that begin with
  /// `continuation`, which is cut off; with `clean` no blank before a full stop or "n't" and the
  /// like.
  static Decoder of_pieces(const Vocabulary& vocabulary, std::string continuation, bool clean);

  /// An added token stands for its content as it is.
  void add(const AddedToken& token) { tokens_[token.id] = token.content; }
  /// This id leaves no text: a special token.
  void leave_out(std::int32_t id) { tokens_.erase(id); }

  /// The text's bytes, which need not be whole characters; ids that no token has leave none.
  std::string operator()(std::span<const std::int32_t> ids) const;

 private:
  std::string piece(const std::string& token) const;

  std::unordered_map<std::int32_t, std::string> tokens_;
  bool joins_pieces_ = false;
  std::string continuation_;
  bool clean_ = false;
};

}  // namespace regroup::models
