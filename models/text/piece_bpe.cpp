#include "models/text/piece_bpe.hpp"

#include <algorithm>

#include "models/text/pipeline/blank_parts.hpp"
#include "models/text/pipeline/symbol_list.hpp"
#include "models/text/pipeline/unicode.hpp"

namespace regroup::models {
namespace {

std::string_view first_character(std::string_view text) {
  std::string_view rest = text;
  take_character(rest);
  return text.substr(0, text.size() - rest.size());
}

/// Pieces in the order in which they are merged: those of one score have one rank.
std::vector<std::int32_t> ranks_of(const std::vector<Piece>& pieces) {
  std::vector<float> scores;
  for (const Piece& piece : pieces) scores.push_back(piece.score);
  std::sort(scores.begin(), scores.end(), std::greater<>());
  scores.erase(std::unique(scores.begin(), scores.end()), scores.end());
  std::vector<std::int32_t> ranks;
  for (const Piece& piece : pieces) {
    const auto place =
        std::lower_bound(scores.begin(), scores.end(), piece.score, std::greater<>());
    ranks.push_back(static_cast<std::int32_t>(place - scores.begin()));
  }
  return ranks;
}

}  // namespace

PieceBpe::PieceBpe(const SentencePieceModel& model)
    : unknown_(model), pieces_(static_cast<std::int32_t>(model.pieces.size())) {
  add_symbols(model);
  if (model.kind == SentencePieceKind::kBpe) add_merges(model);
  const auto crosses = [](const Piece& piece) {
    return stands_for_text(piece) && holds_blank_inside(piece.text);
  };
  const auto blank = symbols_.find(kVisibleBlank);
  cuts_at_blanks_ =
      blank && *blank < pieces_ && std::none_of(model.pieces.begin(), model.pieces.end(), crosses);
}

void PieceBpe::add_symbols(const SentencePieceModel& model) {
  std::int32_t id = 0;
  for (const Piece& piece : model.pieces) {
    if (stands_for_text(piece)) symbols_.set(piece.text, id);
    if (piece.type == PieceType::kUserDefined) user_defined_.set(piece.text, id);
    if (piece.type == PieceType::kUnused) unused_.resize(model.pieces.size());
    if (piece.type == PieceType::kUnused) unused_[static_cast<std::size_t>(id)] = true;
    ++id;
  }
  for (const Piece& piece : model.pieces) {
    for (std::string_view rest = piece.text; stands_for_text(piece) && !rest.empty();) {
      const std::string character(first_character(rest));
      rest.remove_prefix(character.size());
      if (!symbols_.find(character)) symbols_.set(character, id++);
    }
  }
  unknown_symbol_ = id;
}

void PieceBpe::add_merges(const SentencePieceModel& model) {
  const std::vector<std::int32_t> ranks = ranks_of(model.pieces);
  for (std::size_t id = 0; id < model.pieces.size(); ++id) {
    if (!stands_for_text(model.pieces[id])) continue;
    add_merges_of(model.pieces[id].text, {ranks[id], static_cast<std::int32_t>(id)});
  }
}

void PieceBpe::add_merges_of(std::string_view piece, MergeResult result) {
  std::string_view right = piece;
  while (true) {
    right.remove_prefix(first_character(right).size());
    if (right.empty()) return;
    const auto left_id = symbols_.find(piece.substr(0, piece.size() - right.size()));
    const auto right_id = symbols_.find(right);
    if (left_id && right_id) merges_.set(*left_id, *right_id, result);
  }
}

std::size_t PieceBpe::defined_length(std::string_view text) const {
  std::size_t defined = 0;
  user_defined_.for_each_prefix(text, [&](std::size_t length, std::int32_t) { defined = length; });
  return defined;
}

/// A word on its way.
struct PieceBpe::Word {
  std::vector<std::string_view> symbols;
  std::unordered_map<std::int32_t, SymbolList::Pair> pairs;  // if there are unused pieces
  bool after_unknown = false;
};

/// Appends a symbol, whose text is needed if it is no piece; an unused one as what it was made of.
void PieceBpe::append_symbol(std::int32_t id, std::string_view text, Word& word,
                             std::vector<std::int32_t>& ids) const {
  const bool is_unknown = id >= pieces_;
  const bool is_unused = !is_unknown && !unused_.empty() && unused_[static_cast<std::size_t>(id)];
  const auto pair = is_unused ? word.pairs.find(id) : word.pairs.end();
  if (pair != word.pairs.end()) {
    const auto [left, right] = pair->second;
    word.pairs.erase(pair);  // so that a broken model's pairs come to an end
    append_symbol(left, text, word, ids);
    append_symbol(right, text, word, ids);
    word.pairs.insert({id, {left, right}});
    return;
  }
  if (is_unknown) {
    unknown_.append(text, word.after_unknown, ids);
  } else {
    ids.push_back(id);
  }
  word.after_unknown = is_unknown;
}

void PieceBpe::append_ids(std::string_view word, std::vector<std::int32_t>& ids) const {
  SymbolList list(merges_);
  Word state;
  if (!unused_.empty()) list.keep_pairs(state.pairs);
  for (std::string_view rest = word; !rest.empty();) {
    const std::size_t defined = defined_length(rest);
    const std::string_view symbol = defined > 0 ? rest.substr(0, defined) : first_character(rest);
    list.append(symbols_.find(symbol).value_or(unknown_symbol_), defined == 0);
    state.symbols.push_back(symbol);
    rest.remove_prefix(symbol.size());
  }
  list.merge_all();
  list.for_each([&](std::int32_t id, std::size_t first) {
    append_symbol(id, state.symbols[first], state, ids);
  });
}

void PieceBpe::for_each_part(std::string_view word, const OnPart& on_part) const {
  cuts_at_blanks_ ? for_each_blank_part(word, on_part) : on_part(word);
}

}  // namespace regroup::models
