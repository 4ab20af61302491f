#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "models/text/pipeline/byte_trie.hpp"

namespace regroup::models {

/// The most likely way to cut text into tokens (Viterbi; Kudo, arXiv 1804.10959). Scores are added
/// up from left to right and kept as `Real`; float gives what SentencePiece does to the last bit.
/// Of equal ways the one counts whose last token is longest.
template <class Real>
class BestPath {
 public:
  struct Token {
    std::size_t begin;
    std::size_t length;
    std::int32_t id;  ///< kUnknown: a character that no token stands for
  };
  static constexpr std::int32_t kUnknown = -1;

  void add(std::string_view text, std::int32_t id, double score) {
    if (static_cast<std::size_t>(id) >= scores_.size()) {
      scores_.resize(static_cast<std::size_t>(id) + 1);
    }
    scores_[static_cast<std::size_t>(id)] = score;
    trie_.set(text, id);
  }
  /// What a character without a token counts.
  void set_unknown_score(Real score) { unknown_score_ = score; }

  /// The tokens of valid UTF-8 text, not empty. `total` is the score of what stands before it, and
  /// then that of both.
  std::vector<Token> tokens(std::string_view text, Real& total) const {
    std::vector<Node> nodes(text.size() + 1);
    nodes[0] = {total, 0, kUnknown, true};
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t character = std::min(character_length(text[at]), text.size() - at);
      visit_tokens(text, at, character, nodes);
      at += character;
    }
    total = nodes.back().score;
    return walk_back(nodes);
  }

 private:
  struct Node {
    Real score = 0;
    std::size_t begin = 0;  // of the last token
    std::int32_t id = kUnknown;
    bool reached = false;
  };

  static std::size_t character_length(char first) {
    const auto byte = static_cast<unsigned char>(first);
    if (byte < 0xc0) return 1;
    if (byte < 0xe0) return 2;
    return byte < 0xf0 ? 3 : 4;
  }

  void visit_tokens(std::string_view text, std::size_t at, std::size_t character,
                    std::vector<Node>& nodes) const {
    bool known = false;
    const Real before = nodes[at].score;
    const auto reach = [&](std::size_t length, std::int32_t id, double candidate) {
      Node& node = nodes[at + length];
      if (!node.reached || candidate > node.score) {
        node = {static_cast<Real>(candidate), at, id, true};
      }
    };
    trie_.for_each_prefix(text.substr(at), [&](std::size_t length, std::int32_t id) {
      reach(length, id, scores_[static_cast<std::size_t>(id)] + before);
      known = known || length == character;
    });
    if (!known) reach(character, kUnknown, unknown_score_ + before);
  }

  static std::vector<Token> walk_back(const std::vector<Node>& nodes) {
    std::vector<Token> tokens;
    for (std::size_t end = nodes.size() - 1; end > 0; end = nodes[end].begin) {
      tokens.push_back({nodes[end].begin, end - nodes[end].begin, nodes[end].id});
    }
    for (std::size_t i = 0, j = tokens.size(); i + 1 < j; ++i) std::swap(tokens[i], tokens[--j]);
    return tokens;
  }

  ByteTrie trie_;
  std::vector<double> scores_;
  Real unknown_score_ = 0;
};

}  // namespace regroup::models
