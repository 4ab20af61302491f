#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "models/text/pipeline/byte_tokens.hpp"
#include "models/text/sentencepiece_model.hpp"

namespace regroup::models {

/// What SentencePiece gives for characters that no piece stands for: their bytes, or the unknown
/// piece, once for neighbouring ones.
class UnknownPieces {
 public:
  explicit UnknownPieces(const SentencePieceModel& model);

  /// Appends what stands for an unknown character; `after_unknown`: one stands before it already.
  void append(std::string_view character, bool after_unknown, std::vector<std::int32_t>& ids) const;

 private:
  ByteTokens bytes_;
  std::int32_t unknown_;
};

/// Whether text can be the piece: no control, unknown or byte piece.
inline bool stands_for_text(const Piece& piece) {
  return piece.type == PieceType::kNormal || piece.type == PieceType::kUserDefined ||
         piece.type == PieceType::kUnused;
}

}  // namespace regroup::models
