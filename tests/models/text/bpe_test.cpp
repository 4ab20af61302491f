#include "models/text/pipeline/bpe.hpp"

#include <algorithm>
#include <random>

#include "models/text/pipeline/byte_alphabet.hpp"
#include "search/base/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/error_message.hpp"

namespace regroup::models {
namespace {

using tests::contains;
using tests::error_message;
using Ids = std::vector<std::int32_t>;

Ids ids_of(const Bpe& bpe, std::string_view word) {
  Ids ids;
  bpe.append_ids(word, ids);
  return ids;
}

/// The definition: of all neighbours take the earliest merge, the leftmost place, again and again.
Ids naive_ids(const Vocabulary& vocabulary, const std::vector<Merge>& merges,
              std::string_view word) {
  std::vector<std::string> symbols;
  for (const char c : word) symbols.push_back(byte_alphabet()[static_cast<unsigned char>(c)]);
  for (bool changed = true; changed;) {
    changed = false;
    for (std::size_t m = 0; m < merges.size() && !changed; ++m) {
      for (std::size_t i = 0; i + 1 < symbols.size() && !changed; ++i) {
        if (symbols[i] != merges[m].left || symbols[i + 1] != merges[m].right) continue;
        symbols[i] += symbols[i + 1];
        symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(i) + 1);
        changed = true;
      }
    }
  }
  Ids ids;
  for (const std::string& symbol : symbols) ids.push_back(*vocabulary.find(symbol));
  return ids;
}

/// The letters of `alphabet` and `count` merges of what is there already.
struct RandomBpe {
  Vocabulary vocabulary;
  std::vector<Merge> merges;

  RandomBpe(std::string_view alphabet, int count, std::mt19937_64& random) {
    std::vector<std::string> tokens;
    const auto add = [&](const std::string& token) {
      if (vocabulary.find(token)) return;
      vocabulary.set(token, static_cast<std::int32_t>(tokens.size()));
      tokens.push_back(token);
    };
    for (const char c : alphabet) add(byte_alphabet()[static_cast<unsigned char>(c)]);
    for (int i = 0; i < count; ++i) {
      const Merge merge = {tokens[random() % tokens.size()], tokens[random() % tokens.size()]};
      const bool known = std::any_of(merges.begin(), merges.end(), [&](const Merge& other) {
        return other.left == merge.left && other.right == merge.right;
      });
      if (known) continue;
      add(merge.left + merge.right);
      merges.push_back(merge);
    }
  }
};

}  // namespace

TEST_CASE("the byte alphabet is that of GPT-2's files") {
  CHECK(byte_alphabet()[' '] == "Ġ");
  CHECK(byte_alphabet()['\n'] == "Ċ");
  CHECK(byte_alphabet()['a'] == "a");
  CHECK(byte_alphabet()[0] == "Ā");
  CHECK(byte_alphabet()[0xff] == "ÿ");
  CHECK(byte_alphabet()[0xad] == "Ń");
}

TEST_CASE("BPE equals its definition on random vocabularies") {
  std::mt19937_64 random(7);
  int merged = 0;
  for (int round = 0; round < 100; ++round) {
    const std::string_view alphabet = round % 2 == 0 ? "ab" : "ab \xc3";
    const RandomBpe file(alphabet, 12, random);
    const Bpe bpe(file.vocabulary, file.merges, {.bytes = true}, "x");
    for (int w = 0; w < 10; ++w) {
      std::string word(1 + random() % 30, 'a');
      for (char& c : word) c = alphabet[random() % alphabet.size()];
      CAPTURE(round, word);
      const Ids ids = ids_of(bpe, word);
      CHECK(ids == naive_ids(file.vocabulary, file.merges, word));
      merged += ids.size() < word.size() ? 1 : 0;
    }
  }
  CHECK(merged > 500);
}

TEST_CASE("a long word takes little more than linear time") {
  Vocabulary vocabulary;
  std::vector<Merge> merges;
  vocabulary.set("a", 0);
  std::string token = "a";
  for (std::int32_t id = 1; id <= 4; ++id) {
    merges.push_back({token, token});
    token += token;
    vocabulary.set(token, id);
  }
  const Bpe bpe(vocabulary, merges, {.bytes = true}, "x");
  // Well under a second; a quadratic algorithm would need 10¹² steps and end at ctest's time limit.
  constexpr std::size_t kTokens = 62'500;
  CHECK(ids_of(bpe, std::string(16 * kTokens, 'a')) == Ids(kTokens, 4));
}

TEST_CASE("whole words that are tokens are not taken apart where the file says so") {
  Vocabulary vocabulary;
  for (const char* token : {"a", "b", "Ġ", "ab", "Ġab"}) vocabulary.set(token, vocabulary.size());
  const std::vector<Merge> merges = {{"Ġ", "ab"}};
  CHECK(ids_of(Bpe(vocabulary, merges, {.bytes = true}, "x"), " ab") == Ids{2, 0, 1});
  const Bpe whole(vocabulary, merges, {.bytes = true, .whole_words = true}, "x");
  CHECK(ids_of(whole, " ab") == Ids{4});
  CHECK(ids_of(whole, " abb") == Ids{2, 0, 1, 1});
}

TEST_CASE("bytes without a token are left out, or unknown, or unknown together") {
  Vocabulary vocabulary;
  for (const char* token : {"a", "?"}) vocabulary.set(token, vocabulary.size());
  CHECK(ids_of(Bpe(vocabulary, {}, {.bytes = true}, "x"), "xxa") == Ids{0});
  CHECK(ids_of(Bpe(vocabulary, {}, {.bytes = true, .unknown = "?"}, "x"), "xxax") ==
        Ids{1, 1, 0, 1});
  CHECK(ids_of(Bpe(vocabulary, {}, {.bytes = true, .unknown = "?", .fuse_unknown = true}, "x"),
               "xxax") == Ids{1, 0, 1});
}

TEST_CASE("merges of tokens that are not there are refused") {
  Vocabulary vocabulary;
  for (const char* token : {"a", "b"}) vocabulary.set(token, vocabulary.size());
  const auto refusal = [&](const Merge& merge) {
    return error_message<InputError>([&] {
      Bpe(vocabulary, {{"a", "b"}, merge}, {.bytes = true}, "m.txt");
    });
  };
  CHECK_THAT(refusal({"a", "c"}), contains("merge 0"));  // "ab" is not there either
  vocabulary.set("ab", 2);
  CHECK_THAT(refusal({"a", "c"}), contains("m.txt, merge 1"));
  CHECK_THAT(refusal({"b", "a"}), contains("ba"));
}

TEST_CASE("merges.txt is read line by line") {
  const auto merges = parse_merges("#version: 0.2\na b\r\n\nĠ t", "merges.txt");
  REQUIRE(merges.size() == 2);
  CHECK(merges[0].left == "a");
  CHECK(merges[0].right == "b");
  CHECK(merges[1].left == "Ġ");
  for (const char* broken : {"ab", "a b c", " a", "a ", "a  b"}) {
    CAPTURE(broken);
    CHECK_THAT(error_message<InputError>([&] { parse_merges(broken, "merges.txt"); }),
               contains("merges.txt, line 1"));
  }
}

}  // namespace regroup::models
