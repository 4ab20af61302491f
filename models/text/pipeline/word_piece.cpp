#include "models/text/pipeline/word_piece.hpp"

#include <algorithm>

#include "models/files/printable.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

bool begins_character(char byte) {
  return (byte & 0xc0) != 0x80;
}

}  // namespace

WordPiece::WordPiece(Vocabulary vocabulary, WordPieceOptions options, const std::string& where)
    : vocabulary_(std::move(vocabulary)), options_(std::move(options)) {
  const auto unknown = vocabulary_.find(options_.unknown);
  if (!unknown) {
    throw InputError({.what = "tokenizer's unknown token is not in its vocabulary",
                      .where = where,
                      .found = printable(options_.unknown)});
  }
  unknown_ = *unknown;
}

void WordPiece::append_ids(std::string_view word, std::vector<std::int32_t>& ids) const {
  const auto characters = std::count_if(word.begin(), word.end(), begins_character);
  const std::size_t before = ids.size();
  if (characters <= options_.most_characters && append_pieces(word, ids)) return;
  ids.resize(before);
  ids.push_back(unknown_);
}

bool WordPiece::append_pieces(std::string_view word, std::vector<std::int32_t>& ids) const {
  std::string token;
  for (std::size_t from = 0; from < word.size();) {
    const std::string_view prefix = from == 0 ? std::string_view() : options_.continuation;
    std::size_t length = std::min(word.size() - from, vocabulary_.longest());
    for (; length > 0; --length) {
      if (from + length < word.size() && !begins_character(word[from + length])) continue;
      token.assign(prefix).append(word.substr(from, length));
      if (const auto id = vocabulary_.find(token)) {
        ids.push_back(*id);
        break;
      }
    }
    if (length == 0) return false;
    from += length;
  }
  return true;
}

}  // namespace regroup::models
