#pragma once

#include <string>

#include "models/text/sentencepiece_model.hpp"

namespace regroup::models {

/// A SentencePiece model as the bytes of its file (sentencepiece_model.proto): pieces with scores
/// and types, and what the trainer's and the normalizer's specifications say of how text is cut.
std::string sentencepiece_bytes(const SentencePieceModel& model);

}  // namespace regroup::models
