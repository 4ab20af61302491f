#include "models/text/pipeline/unigram.hpp"

#include <algorithm>

#include "models/files/printable.hpp"
#include "models/text/pipeline/blank_parts.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

/// How much less likely than the least likely token an unknown character is; SentencePiece's.
constexpr double kUnknownPenalty = 10;

void require_unknown_token(const UnigramOptions& options, std::size_t tokens,
                           const std::string& where) {
  if (tokens == 0) {
    throw InputError(
        {.what = "tokenizer has no tokens", .where = where, .expected = "a vocabulary"});
  }
  if (!options.unknown || static_cast<std::size_t>(*options.unknown) < tokens) return;
  throw InputError({.what = "tokenizer's unknown token is not in its vocabulary",
                    .where = where,
                    .expected = "an unk_id below " + std::to_string(tokens),
                    .found = std::to_string(*options.unknown)});
}

}  // namespace

Unigram::Unigram(const std::vector<ScoredToken>& tokens, const UnigramOptions& options,
                 const std::string& where)
    : options_(options) {
  require_unknown_token(options, tokens.size(), where);
  double least = tokens[0].score;
  Vocabulary vocabulary;
  bool crosses = false;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const auto id = static_cast<std::int32_t>(i);
    least = std::min(least, tokens[i].score);
    vocabulary.set(tokens[i].text, id);
    crosses = crosses || holds_blank_inside(tokens[i].text);
    if (!tokens[i].text.empty()) paths_.add(tokens[i].text, id, tokens[i].score);
  }
  paths_.set_unknown_score(least - kUnknownPenalty);
  if (options.byte_fallback) byte_tokens_ = ByteTokens(vocabulary);
  cuts_at_blanks_ = !crosses && vocabulary.find(kVisibleBlank).has_value();
}

void Unigram::append_ids(std::string_view word, std::vector<std::int32_t>& ids) const {
  double total = 0;
  const auto tokens = paths_.tokens(word, total);
  for (auto token = tokens.begin(); token != tokens.end();) {
    if (token->id != BestPath<double>::kUnknown) {
      ids.push_back((token++)->id);
      continue;
    }
    std::string_view unknown = word.substr(token->begin, 0);
    for (; token != tokens.end() && token->id == BestPath<double>::kUnknown; ++token) {
      unknown = {unknown.data(), unknown.size() + token->length};
    }
    if (byte_tokens_.append_ids(unknown, ids)) continue;
    if (!options_.unknown) {
      throw InputError({.what = "text cannot be tokenized: its tokenizer has no unknown token",
                        .expected = "characters of the vocabulary",
                        .found = printable(unknown)});
    }
    ids.push_back(*options_.unknown);
  }
}

void Unigram::for_each_part(std::string_view word, const OnPart& on_part) const {
  cuts_at_blanks_ ? for_each_blank_part(word, on_part) : on_part(word);
}

}  // namespace regroup::models
