#include "models/text/unknown_pieces.hpp"

namespace regroup::models {

UnknownPieces::UnknownPieces(const SentencePieceModel& model) : unknown_(*model.unknown) {
  if (!model.byte_fallback) return;
  Vocabulary vocabulary;
  std::int32_t id = 0;
  for (const Piece& piece : model.pieces) {
    if (piece.type == PieceType::kByte) vocabulary.set(piece.text, id);
    ++id;
  }
  bytes_ = ByteTokens(vocabulary);
}

void UnknownPieces::append(std::string_view character, bool after_unknown,
                           std::vector<std::int32_t>& ids) const {
  if (bytes_.append_ids(character, ids)) return;
  if (!after_unknown || ids.empty() || ids.back() != unknown_) ids.push_back(unknown_);
}

}  // namespace regroup::models
