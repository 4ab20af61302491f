#include "models/text/pipeline/word_piece.hpp"

#include <random>

#include "search/base/error.hpp"
#include "tests/support/catch.hpp"

namespace regroup::models {
namespace {

using Ids = std::vector<std::int32_t>;

Ids ids_of(const WordPiece& model, std::string_view word) {
  Ids ids;
  model.append_ids(word, ids);
  return ids;
}

/// The definition: the longest token that the rest of the word begins with, from ASCII letters.
Ids naive_ids(const Vocabulary& vocabulary, const std::string& word) {
  Ids ids;
  for (std::size_t from = 0; from < word.size();) {
    std::size_t to = word.size();
    const auto token = [&] { return (from > 0 ? "##" : "") + word.substr(from, to - from); };
    while (to > from && !vocabulary.find(token())) --to;
    if (to == from) return {0};
    ids.push_back(*vocabulary.find(token()));
    from = to;
  }
  return ids;
}

}  // namespace

TEST_CASE("WordPiece equals its definition on random vocabularies") {
  std::mt19937_64 random(3);
  int pieces = 0;
  int unknown = 0;
  for (int round = 0; round < 100; ++round) {
    Vocabulary vocabulary;
    vocabulary.set("[UNK]", 0);
    for (int i = 0; i < 14; ++i) {
      std::string token = random() % 2 == 0 ? "##" : "";
      for (std::size_t n = 1 + random() % 3; n > 0; --n) token += random() % 2 == 0 ? 'a' : 'b';
      if (!vocabulary.find(token)) vocabulary.set(token, vocabulary.size());
    }
    const WordPiece model(vocabulary, {}, "x");
    for (int w = 0; w < 10; ++w) {
      std::string word(1 + random() % 12, 'a');
      for (char& c : word) c = random() % 2 == 0 ? 'a' : 'b';
      CAPTURE(round, word);
      const Ids ids = ids_of(model, word);
      CHECK(ids == naive_ids(vocabulary, word));
      pieces += ids.size() > 1 ? 1 : 0;
      unknown += ids == Ids{0} ? 1 : 0;
    }
  }
  CHECK(pieces > 200);
  CHECK(unknown > 50);
}

TEST_CASE("WordPiece counts characters, not bytes, and never cuts one") {
  Vocabulary vocabulary;
  for (const char* token : {"[UNK]", "ä", "##ä", "##äö"}) vocabulary.set(token, vocabulary.size());
  const WordPiece model(vocabulary, {.most_characters = 3}, "x");
  CHECK(ids_of(model, "äää") == Ids{1, 2, 2});
  CHECK(ids_of(model, "ääö") == Ids{1, 3});
  CHECK(ids_of(model, "ääää") == Ids{0});
  CHECK(ids_of(model, "äö") == Ids{0});
  CHECK_THROWS_AS(WordPiece(Vocabulary(), {}, "x"), InputError);
}

}  // namespace regroup::models
