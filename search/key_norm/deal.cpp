#include "search/key_norm/deal.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace regroup::search {
namespace {

bool all_equal(std::span<const double> norms) {
  return std::all_of(norms.begin(), norms.end(), [&](double norm) { return norm == norms[0]; });
}

/// round(n_g / Σ n · H), half to even as torch does it; Σ n > 0.
std::vector<int> proportional(std::span<const double> scores, int queries) {
  const double total = std::accumulate(scores.begin(), scores.end(), 0.0);
  std::vector<int> counts;
  for (const double score : scores) {
    // In the default rounding mode nearbyint takes halves to even numbers.
    counts.push_back(static_cast<int>(std::nearbyint(score / total * queries)));
  }
  return counts;
}

/// How many query heads are still to be dealt; negative: too many were.
int missing(std::span<const int> counts, int queries) {
  return queries - std::accumulate(counts.begin(), counts.end(), 0);
}

/// KDGQA's way to Σ counts = queries.
void level(std::span<int> counts, int queries) {
  for (int left = missing(counts, queries); left < 0; ++left) {
    --*std::max_element(counts.begin(), counts.end());
  }
  for (int left = missing(counts, queries); left > 0; --left) {
    ++*std::min_element(counts.begin(), counts.end());
  }
}

/// DGQA's way to the same.
void scatter(std::span<int> counts, int queries, RandomStream random) {
  int left = missing(counts, queries);
  while (left != 0) {
    int& count = counts[random.below(counts.size())];
    if (left < 0 && count == 0) continue;
    const int step = left < 0 ? -1 : 1;
    count += step;
    left -= step;
  }
}

std::vector<double> dgqa_scores(std::span<const double> norms, std::span<const double> before,
                                DgqaKind kind) {
  std::vector<double> scores;
  for (std::size_t g = 0; g < norms.size(); ++g) {
    scores.push_back(kind == DgqaKind::kDiff ? std::abs(before[g] - norms[g])
                                             : 0.9 * norms[g] + 0.1 * before[g]);
  }
  return scores;
}

}  // namespace

std::vector<int> deal_evenly(int groups, int queries) {
  std::vector<int> counts(static_cast<std::size_t>(groups));
  for (int query = 0; query < queries; ++query) {
    ++counts[static_cast<std::size_t>(query * groups / queries)];
  }
  return counts;
}

std::vector<int> deal_kdgqa(std::span<const double> norms, int queries) {
  if (all_equal(norms)) return deal_evenly(static_cast<int>(norms.size()), queries);
  const auto [least, most] = std::minmax_element(norms.begin(), norms.end());
  std::vector<double> scores;
  for (const double norm : norms) scores.push_back((norm - *least) / (*most - *least));
  std::vector<int> counts = proportional(scores, queries);
  level(counts, queries);
  return counts;
}

std::vector<int> deal_dgqa(std::span<const double> norms, std::span<const double> before,
                           int queries, DgqaKind kind, RandomKey key) {
  const std::vector<double> scores = dgqa_scores(norms, before, kind);
  if (all_equal(scores)) return deal_evenly(static_cast<int>(scores.size()), queries);
  std::vector<int> counts = proportional(scores, queries);
  scatter(counts, queries, RandomStream(key));
  return counts;
}

std::vector<int> deal_dgqa(std::span<const std::vector<double>> norms, int queries, DgqaKind kind,
                           RandomKey key) {
  std::vector<double> before(norms[0].size());
  std::vector<int> counts;
  for (std::size_t window = 0; window < norms.size(); ++window) {
    counts = deal_dgqa(norms[window], before, queries, kind, key.split(window));
    before = norms[window];
  }
  return counts;
}

}  // namespace regroup::search
