#include "models/text/sentencepiece_normalizer.hpp"

#include "models/text/pipeline/blank_parts.hpp"
#include "models/text/pipeline/unicode.hpp"

namespace regroup::models {
namespace {

void append_with_visible_blanks(std::string& result, std::string_view text) {
  for (const char c : text) c == ' ' ? result += kVisibleBlank : result += c;
}

}  // namespace

SentencePieceNormalizer::SentencePieceNormalizer(const SentencePieceModel& model,
                                                 const std::string& where)
    : map_(model.character_map, where),
      blank_before_(model.blank_before_text && !model.blank_after_words),
      blank_after_(model.blank_before_text && model.blank_after_words),
      merges_blanks_(model.merges_blanks) {
  for (const Piece& piece : model.pieces) {
    if (piece.type == PieceType::kUserDefined) user_defined_.set(piece.text, 0);
  }
}

/// What the beginning of a text, not empty, becomes.
SentencePieceNormalizer::Mapped SentencePieceNormalizer::next(std::string_view text) const {
  std::size_t defined = 0;
  user_defined_.for_each_prefix(text, [&](std::size_t length, std::int32_t) { defined = length; });
  if (defined > 0) return {defined, text.substr(0, defined)};
  if (const auto match = map_.longest(text)) return {match->length, match->replacement};
  std::string_view rest = text;
  take_character(rest);
  const std::size_t length = text.size() - rest.size();
  return {length, text.substr(0, length)};
}

std::string SentencePieceNormalizer::operator()(std::string_view text, bool blank) const {
  std::string result;
  while (merges_blanks_ && !text.empty()) {
    const Mapped mapped = next(text);
    if (mapped.text != " ") break;
    text.remove_prefix(mapped.length);
  }
  if (text.empty()) return result;
  result.reserve(text.size() + text.size() / 2);
  if (blank && blank_before_) result += kVisibleBlank;
  bool after_blank = merges_blanks_;
  while (!text.empty()) {
    Mapped mapped = next(text);
    while (after_blank && mapped.text.starts_with(' ')) mapped.text.remove_prefix(1);
    append_with_visible_blanks(result, mapped.text);
    if (!mapped.text.empty()) after_blank = merges_blanks_ && mapped.text.ends_with(' ');
    text.remove_prefix(mapped.length);
  }
  while (merges_blanks_ && result.ends_with(kVisibleBlank)) {
    result.resize(result.size() - kVisibleBlank.size());
  }
  if (blank && blank_after_) result += kVisibleBlank;
  return result;
}

}  // namespace regroup::models
