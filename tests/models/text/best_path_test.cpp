#include "models/text/pipeline/best_path.hpp"

#include <map>
#include <random>
#include <string>

#include "tests/support/catch.hpp"

namespace regroup::models {
namespace {

using Path = BestPath<double>;

/// The definition: the best of all ways to cut the text.
double naive_score(const std::map<std::string, double>& scores, double unknown,
                   std::string_view text) {
  if (text.empty()) return 0;
  double best = -1e300;
  for (std::size_t length = 1; length <= text.size(); ++length) {
    const auto known = scores.find(std::string(text.substr(0, length)));
    const bool single = length == 1 && known == scores.end();
    if (known == scores.end() && !single) continue;
    const double score = single ? unknown : known->second;
    best = std::max(best, score + naive_score(scores, unknown, text.substr(length)));
  }
  return best;
}

}  // namespace

TEST_CASE("the best path is the best of all ways to cut a text") {
  std::mt19937_64 random(9);
  int multiple = 0;
  for (int round = 0; round < 200; ++round) {
    Path path;
    std::map<std::string, double> scores;
    constexpr double kUnknown = -30;
    path.set_unknown_score(kUnknown);
    for (std::int32_t id = 0; id < 8; ++id) {
      std::string token(1 + random() % 4, 'a');
      for (char& c : token) c = "abc"[random() % 3];
      const double score = -1 - static_cast<double>(random() % 1000) / 100;
      if (!scores.emplace(token, score).second) continue;
      path.add(token, id, score);
    }
    std::string text(1 + random() % 9, 'a');
    for (char& c : text) c = "abc"[random() % 3];
    CAPTURE(round, text);
    double total = 0;
    const auto tokens = path.tokens(text, total);
    CHECK(std::abs(total - naive_score(scores, kUnknown, text)) < 1e-9);
    double sum = 0;
    std::size_t end = 0;
    for (const Path::Token& token : tokens) {
      CHECK(token.begin == end);
      end += token.length;
      sum +=
          token.id == Path::kUnknown ? kUnknown : scores.at(text.substr(token.begin, token.length));
      multiple += token.length > 1 ? 1 : 0;
    }
    CHECK(end == text.size());
    CHECK(std::abs(sum - total) < 1e-9);
  }
  CHECK(multiple > 100);
}

}  // namespace regroup::models
