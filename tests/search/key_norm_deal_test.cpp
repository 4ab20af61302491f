#include <cmath>
#include <numeric>

#include "search/costs/key_grams.hpp"
#include "search/key_norm/deal.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/near.hpp"
#include "tests/support/random_tables.hpp"

using namespace regroup;
using namespace regroup::search;
using namespace regroup::tests;

namespace {

using Norms = std::vector<double>;
using Counts = std::vector<int>;

/// Halves go to the even neighbour.
int naive_round(double value) {
  const double below = std::floor(value);
  const double rest = value - below;
  const int low = static_cast<int>(below);
  if (rest == 0.5) return low % 2 == 0 ? low : low + 1;
  return rest < 0.5 ? low : low + 1;
}

Counts naive_shares(const Norms& n, int queries) {
  double total = 0;
  for (const double value : n) total += value;
  Counts counts;
  for (const double value : n) counts.push_back(naive_round(value / total * queries));
  return counts;
}

int sum(const Counts& counts) {
  return std::accumulate(counts.begin(), counts.end(), 0);
}

bool equal_entries(const Norms& n) {
  for (const double value : n) {
    if (value != n[0]) return false;
  }
  return true;
}

Counts naive_even(int groups, int queries) {
  Counts counts(static_cast<std::size_t>(groups));
  for (int q = 0; q < queries; ++q) ++counts[static_cast<std::size_t>(q * groups / queries)];
  return counts;
}

struct Fixes {
  int lowered = 0;
  int raised = 0;
};

Counts naive_kdgqa(Norms n, int queries, Fixes& fixes) {
  double least = n[0];
  double most = n[0];
  for (const double value : n) {
    least = value < least ? value : least;
    most = value > most ? value : most;
  }
  if (least == most) return naive_even(static_cast<int>(n.size()), queries);
  for (double& value : n) value = (value - least) / (most - least);
  Counts counts = naive_shares(n, queries);
  while (sum(counts) > queries) {
    std::size_t largest = 0;
    for (std::size_t g = 0; g < counts.size(); ++g) {
      if (counts[g] > counts[largest]) largest = g;
    }
    --counts[largest];
    ++fixes.lowered;
  }
  while (sum(counts) < queries) {
    std::size_t smallest = 0;
    for (std::size_t g = 0; g < counts.size(); ++g) {
      if (counts[g] < counts[smallest]) smallest = g;
    }
    ++counts[smallest];
    ++fixes.raised;
  }
  return counts;
}

Counts naive_dgqa(const std::vector<Norms>& windows, int queries, DgqaKind kind, RandomKey key,
                  Fixes& fixes) {
  Norms cache(windows[0].size(), 0.0);
  Counts counts;
  for (std::size_t w = 0; w < windows.size(); ++w) {
    Norms n = windows[w];
    for (std::size_t g = 0; g < n.size(); ++g) {
      n[g] = kind == DgqaKind::kDiff ? std::abs(cache[g] - n[g]) : 0.9 * n[g] + 0.1 * cache[g];
    }
    cache = windows[w];
    if (equal_entries(n)) {
      counts = naive_even(static_cast<int>(n.size()), queries);
      continue;
    }
    counts = naive_shares(n, queries);
    RandomStream random(key.split(w));
    while (sum(counts) != queries) {
      const std::size_t g = random.below(counts.size());
      if (sum(counts) < queries) {
        ++counts[g];
        ++fixes.raised;
      } else if (counts[g] > 0) {
        --counts[g];
        ++fixes.lowered;
      }
    }
  }
  return counts;
}

/// Norms with ties and zeros among them.
Norms random_norms(std::size_t groups, RandomStream& random) {
  Norms norms;
  for (std::size_t g = 0; g < groups; ++g) {
    norms.push_back(random.chance(0.5) ? random.below(4) : 10 * random.unit());
  }
  return norms;
}

}  // namespace

TEST_CASE("KDGQA deals by hand-computed shares of the normalised norms") {
  CHECK(deal_kdgqa(Norms{1, 2, 4}, 8) == Counts{0, 2, 6});
  CHECK(deal_kdgqa(Norms{1, 2, 3}, 4) == Counts{0, 1, 3});
  CHECK(deal_kdgqa(Norms{3, 1, 3, 1}, 6) == Counts{3, 0, 3, 0});
  // Shares 0, 1.5, 1.5 round to 0, 2, 2: one too many, taken from the first of the largest.
  CHECK(deal_kdgqa(Norms{1, 2, 2}, 3) == Counts{0, 1, 2});
  // Shares 0, 2.5, 2.5 round to 0, 2, 2 (half to even): one is missing.
  CHECK(deal_kdgqa(Norms{1, 2, 2}, 5) == Counts{1, 2, 2});
  CHECK(deal_kdgqa(Norms{1, 1, 2, 2}, 5) == Counts{1, 0, 2, 2});
}

TEST_CASE("equal norms, one group and no keys at all deal evenly") {
  CHECK(deal_evenly(3, 8) == Counts{3, 3, 2});
  CHECK(deal_kdgqa(Norms{2, 2, 2}, 8) == Counts{3, 3, 2});
  CHECK(deal_kdgqa(Norms{0, 0}, 4) == Counts{2, 2});
  CHECK(deal_kdgqa(Norms{5}, 4) == Counts{4});
  const RandomKey key(1);
  for (const DgqaKind kind : {DgqaKind::kDiff, DgqaKind::kEma}) {
    CHECK(deal_dgqa(std::vector<Norms>{{0, 0, 0}}, 8, kind, key) == Counts{3, 3, 2});
    CHECK(deal_dgqa(std::vector<Norms>{{7}, {8}}, 4, kind, key) == Counts{4});
  }
  // Norms that no longer change say nothing of which key head needs more.
  CHECK(deal_dgqa(std::vector<Norms>{{1, 2}, {1, 2}}, 4, DgqaKind::kDiff, key) == Counts{2, 2});
}

TEST_CASE("DGQA deals by hand-computed shares of the last window and the one before") {
  const RandomKey key(1);
  const auto deal = [&](const std::vector<Norms>& windows, int queries, DgqaKind kind) {
    return deal_dgqa(windows, queries, kind, key);
  };
  CHECK(deal({{1, 1, 2}}, 4, DgqaKind::kEma) == Counts{1, 1, 2});
  CHECK(deal({{1, 1, 2}}, 4, DgqaKind::kDiff) == Counts{1, 1, 2});
  CHECK(deal({{10, 0}, {0, 10}}, 10, DgqaKind::kEma) == Counts{1, 9});
  CHECK(deal({{1, 2, 3}, {1, 4, 3}}, 6, DgqaKind::kDiff) == Counts{0, 6, 0});
  // The cache holds the norms before the DGQA line, not what it made of them, and holds them after
  // an even deal too.
  CHECK(deal({{0, 4}, {4, 6}, {5, 8}}, 6, DgqaKind::kDiff) == Counts{2, 4});
  CHECK(deal({{1, 2}, {1, 2}, {2, 5}}, 4, DgqaKind::kDiff) == Counts{1, 3});
}

TEST_CASE("deals equal a naive reference, add up to H and are never negative") {
  RandomStream random(RandomKey(21));
  Fixes kdgqa;
  Fixes dgqa;
  for (int trial = 0; trial < 3000; ++trial) {
    const std::size_t groups = 1 + random.below(std::size_t{9});
    const int queries = 1 + random.below(20);
    std::vector<Norms> windows;
    for (int w = 1 + random.below(4); w > 0; --w) {
      windows.push_back(random_norms(groups, random));
    }
    const RandomKey key(random.bits());
    CAPTURE(trial, groups, queries);
    std::vector<Counts> deals = {deal_kdgqa(windows[0], queries)};
    REQUIRE(deals[0] == naive_kdgqa(windows[0], queries, kdgqa));
    for (const DgqaKind kind : {DgqaKind::kDiff, DgqaKind::kEma}) {
      deals.push_back(deal_dgqa(windows, queries, kind, key));
      REQUIRE(deals.back() == naive_dgqa(windows, queries, kind, key, dgqa));
    }
    for (const Counts& counts : deals) {
      REQUIRE(counts.size() == groups);
      REQUIRE(sum(counts) == queries);
      for (const int count : counts) REQUIRE(count >= 0);
    }
  }
  // Both ways of every fix-up were taken.
  for (const Fixes& fixes : {kdgqa, dgqa}) {
    CHECK(fixes.lowered > 100);
    CHECK(fixes.raised > 100);
  }
}

TEST_CASE("DGQA's random fix-up follows its key and reaches every group") {
  const std::vector<Norms> windows = {{5, 5, 5, 5.001}};  // shares 0.5 and a little: 0, 0, 0, 1
  std::vector<int> raised(4);
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const Counts counts = deal_dgqa(windows, 2, DgqaKind::kEma, RandomKey(seed));
    CHECK(counts == deal_dgqa(windows, 2, DgqaKind::kEma, RandomKey(seed)));
    for (std::size_t g = 0; g < counts.size(); ++g) raised[g] += counts[g];
  }
  for (const int times : raised) CHECK(times > 20);
}

TEST_CASE("pooled norms are those of the mean keys") {
  const Eigen::MatrixXd first = random_vectors(5, 40, RandomKey(22));
  Eigen::MatrixXd second = 3 * random_vectors(5, 40, RandomKey(23));
  second.row(4) = -second.row(1);  // cancels in its group
  const Partition partition = Partition::parse("0 2 3 | 1 4");
  const auto norms =
      pooled_norms({first * first.transpose(), second * second.transpose()}, partition);
  REQUIRE(norms.size() == 2);
  const auto mean_norm = [](const Eigen::MatrixXd& keys, const std::vector<int>& group) {
    Eigen::RowVectorXd mean = Eigen::RowVectorXd::Zero(keys.cols());
    for (const int head : group) mean += keys.row(head) / static_cast<double>(group.size());
    return mean.norm();
  };
  CHECK(norms[0][0] == Approx(mean_norm(first, {0, 2, 3})));
  CHECK(norms[0][1] == Approx(mean_norm(first, {1, 4})));
  CHECK(norms[1][0] == Approx(mean_norm(second, {0, 2, 3})));
  CHECK(norms[1][1] == near(0, 1e-6));
  const std::vector<double> sums = summed_norms(norms);
  CHECK(sums[0] == norms[0][0] + norms[1][0]);
  CHECK(sums[1] == norms[0][1] + norms[1][1]);
}
