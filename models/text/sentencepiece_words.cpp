#include "models/text/sentencepiece_words.hpp"

#include <algorithm>
#include <limits>

#include "models/text/piece_bpe.hpp"
#include "models/text/pipeline/best_path.hpp"
#include "models/text/pipeline/blank_parts.hpp"
#include "models/text/unknown_pieces.hpp"

namespace regroup::models {
namespace {

using Path = BestPath<float>;

/// The best path of a unigram model. Scores go on through the whole text, as libsentencepiece adds
/// them, but memory is needed for the part between two blanks alone.
class PieceUnigram : public WordModel {
 public:
  explicit PieceUnigram(const SentencePieceModel& model) : unknown_(model) {
    constexpr float kUnknownPenalty = 10;
    float least = std::numeric_limits<float>::max();
    float most = std::numeric_limits<float>::min();
    for (const Piece& piece : model.pieces) {
      if (piece.type != PieceType::kNormal) continue;
      least = std::min(least, piece.score);
      most = std::max(most, piece.score);
    }
    path_.set_unknown_score(least - kUnknownPenalty);
    std::int32_t id = 0;
    for (const Piece& piece : model.pieces) {
      const bool defined = piece.type == PieceType::kUserDefined;
      const float all = static_cast<float>(piece.text.size()) * most;
      const bool used = defined || piece.type == PieceType::kNormal;
      if (used) path_.add(piece.text, id, defined ? all - 0.1 : piece.score);
      crosses_ = crosses_ || (used && holds_blank_inside(piece.text));
      ++id;
    }
  }

  void append_ids(std::string_view word, std::vector<std::int32_t>& ids) const override {
    float total = 0;
    bool after_unknown = false;
    const auto append = [&](std::string_view part) {
      for (const Path::Token& token : path_.tokens(part, total)) {
        const bool is_unknown = token.id == Path::kUnknown;
        if (!is_unknown) ids.push_back(token.id);
        if (is_unknown) {
          unknown_.append(part.substr(token.begin, token.length), after_unknown, ids);
        }
        after_unknown = is_unknown;
      }
    };
    crosses_ ? append(word) : for_each_blank_part(word, append);
  }

 private:
  Path path_;
  UnknownPieces unknown_;
  bool crosses_ = false;
};

/// Words between blanks, each a piece or unknown; the blank belongs to the word behind it or, where
/// the model says so, before it.
class PieceWords : public WordModel {
 public:
  explicit PieceWords(const SentencePieceModel& model)
      : unknown_(*model.unknown), blank_after_(model.blank_after_words) {
    std::int32_t id = 0;
    for (const Piece& piece : model.pieces) {
      if (stands_for_text(piece)) words_.set(piece.text, id);
      ++id;
    }
  }

  void append_ids(std::string_view word, std::vector<std::int32_t>& ids) const override {
    bool after_unknown = false;
    while (!word.empty()) {
      const std::string_view first = word.substr(0, first_length(word));
      const auto id = words_.find(first);
      if (id || !after_unknown) ids.push_back(id.value_or(unknown_));
      after_unknown = !id;
      word.remove_prefix(first.size());
    }
  }

 private:
  std::size_t first_length(std::string_view word) const {
    const std::size_t from = blank_after_ ? 0 : kVisibleBlank.size();
    const std::size_t blank = word.find(kVisibleBlank, std::min(from, word.size()));
    if (blank == word.npos) return word.size();
    return blank_after_ ? blank + kVisibleBlank.size() : blank;
  }

  Vocabulary words_;
  std::int32_t unknown_;
  bool blank_after_;
};

}  // namespace

std::unique_ptr<WordModel> sentencepiece_word_model(const SentencePieceModel& model) {
  switch (model.kind) {
    case SentencePieceKind::kUnigram:
      return std::make_unique<PieceUnigram>(model);
    case SentencePieceKind::kWord:
      return std::make_unique<PieceWords>(model);
    case SentencePieceKind::kBpe:
    case SentencePieceKind::kCharacter:
      break;
  }
  return std::make_unique<PieceBpe>(model);
}

}  // namespace regroup::models
