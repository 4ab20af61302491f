#pragma once

#include <memory>

#include "models/text/pipeline/word_model.hpp"
#include "models/text/sentencepiece_model.hpp"

namespace regroup::models {

/// Cuts normalized text as SentencePiece's model of that kind does: BPE by scores, the best path of
/// a unigram model, characters or words; to the same ids as libsentencepiece.
///
/// Written here because libsentencepiece takes a text as one sentence: 10 MB take it 40 s and 1 GB.
std::unique_ptr<WordModel> sentencepiece_word_model(const SentencePieceModel& model);

}  // namespace regroup::models
