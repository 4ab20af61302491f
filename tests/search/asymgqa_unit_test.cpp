// The parts of AsymGQA's search: distances, partners, moves, and the search of one unit.

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "search/asymgqa/moves.hpp"
#include "search/asymgqa/nearest_heads.hpp"
#include "search/asymgqa/uniform_sizes.hpp"
#include "search/asymgqa/unit_search.hpp"
#include "search/base/error.hpp"
#include "search/problem/baselines.hpp"
#include "search/problem/enumeration.hpp"
#include "tests/search/naive_asymgqa.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/near.hpp"
#include "tests/support/random_tables.hpp"

using namespace regroup;
using namespace regroup::search;
using namespace regroup::tests;

namespace {

/// A random symmetric distance matrix without ties.
Eigen::MatrixXd random_distances(int heads, RandomKey key) {
  const Eigen::MatrixXd vectors = random_vectors(heads, 5, key);
  return cosine_distances(vectors * vectors.transpose());
}

struct Neighbourhood {
  std::set<Partition> swapped;
  std::set<Partition> put;
};

/// Every partition that one move can make.
Neighbourhood one_move_from(const Partition& partition, const Eigen::MatrixXd& distances) {
  Neighbourhood result;
  const Labels labels = labels_of(partition);
  for (int a = 0; a < partition.heads(); ++a) {
    for (const int b : naive_partners(labels, distances, a)) {
      Labels swapped = labels;
      std::swap(swapped[static_cast<std::size_t>(a)], swapped[static_cast<std::size_t>(b)]);
      result.swapped.insert(partition_of(swapped));
      Labels put = labels;
      put[static_cast<std::size_t>(a)] = labels[static_cast<std::size_t>(b)];
      if (partition_of(put).groups() == partition.groups()) result.put.insert(partition_of(put));
    }
  }
  return result;
}

bool is_one_move(const Partition& from, const Partition& to, const Eigen::MatrixXd& distances) {
  const Neighbourhood around = one_move_from(from, distances);
  return around.swapped.contains(to) || around.put.contains(to);
}

std::multiset<std::size_t> group_sizes(const Partition& partition) {
  std::multiset<std::size_t> sizes;
  for (const auto& group : partition.member_ids()) sizes.insert(group.size());
  return sizes;
}

/// A search of one unit whose candidates are all seen.
struct Trace {
  std::vector<Partition> candidates;  ///< the start first
  std::vector<double> scores;
  Partition found;
};

Trace trace(const CostTable& table, const Eigen::MatrixXd& distances, int groups,
            const AsymGqaOptions& options, RandomKey key) {
  Trace result{{}, {}, Partition::one_group(table.heads())};
  const NearestHeads nearest(distances);
  AsymGqaUnitSearch search(groups, nearest, AsymGqaMoves::kSwapsAndMoves, options, key);
  while (const Partition* candidate = search.candidate()) {
    result.candidates.push_back(*candidate);
    result.scores.push_back(table.partition_cost(*candidate));
    search.take(result.scores.back());
  }
  CHECK(search.evaluations() == result.candidates.size());
  result.found = search.best();
  return result;
}

/// One unit of a random problem and distances that have to do with its costs.
struct Unit8 {
  GroupingProblem problem = random_problem(1, 8, GroupingRules{}, RandomKey(41));
  Eigen::MatrixXd distances = random_distances(8, RandomKey(42));

  const CostTable& table() const { return *problem.units()[0].costs; }
};

}  // namespace

TEST_CASE(
    "AsymGQA: cosine distances are those of the vectors, and a vector of norm 0 is orthogonal") {
  Eigen::MatrixXd vectors = random_vectors(6, 4, RandomKey(40));
  vectors.row(3).setZero();
  vectors.row(5) = -2 * vectors.row(1);
  vectors.row(4) = 3 * vectors.row(0);
  const Eigen::MatrixXd distances = cosine_distances(vectors * vectors.transpose());
  for (int i = 0; i < 6; ++i) {
    for (int j = 0; j < 6; ++j) {
      double expected = 1;
      if (i == j) {
        expected = 0;
      } else if (i != 3 && j != 3) {
        double dot = 0, a = 0, b = 0;
        for (int k = 0; k < 4; ++k) {
          dot += vectors(i, k) * vectors(j, k);
          a += vectors(i, k) * vectors(i, k);
          b += vectors(j, k) * vectors(j, k);
        }
        expected = 1 - dot / std::sqrt(a * b);
      }
      CHECK(distances(i, j) == near(expected, 1e-12));
      CHECK(distances(i, j) == distances(j, i));
    }
  }
  CHECK(distances(0, 4) >= 0);
  CHECK(distances(1, 5) <= 2);
  CHECK_THROWS_AS(cosine_distances(Eigen::MatrixXd::Zero(2, 3)), InputError);
  CHECK_THROWS_AS(
      cosine_distances(Eigen::MatrixXd::Constant(2, 2, std::numeric_limits<double>::quiet_NaN())),
      InputError);
}

TEST_CASE("AsymGQA: partners are the nearest heads outside the group, low heads first on ties") {
  const Eigen::MatrixXd distances = random_distances(7, RandomKey(43));
  const NearestHeads nearest(distances);
  for_each_partition(7, [&](const Partition& partition) {
    for (int a = 0; a < 7; ++a) {
      std::vector<int> ours;
      for (const Head b : nearest.outside_group(partition, Head(a), 3)) ours.push_back(b.value());
      REQUIRE(ours == naive_partners(labels_of(partition), distances, a));
    }
  });
  const NearestHeads ties(Eigen::MatrixXd::Zero(4, 4));
  CHECK(ties.outside_group(Partition::parse("0 2 | 1 3"), Head(2), 3) ==
        std::vector<Head>{Head(1), Head(3)});
}

TEST_CASE("AsymGQA: random equal groups differ by at most one head, and are not all alike") {
  for (int heads = 1; heads <= 9; ++heads) {
    for (int groups = 1; groups <= heads; ++groups) {
      std::set<Partition> seen;
      for (std::uint64_t draw = 0; draw < 20; ++draw) {
        RandomStream random(RandomKey(44).split(draw));
        const Partition partition = random_partition(heads, groups, GroupSizes::kEqual, random);
        seen.insert(partition);
        REQUIRE(partition.groups() == groups);
        const auto sizes = group_sizes(partition);
        CHECK(*sizes.rbegin() - *sizes.begin() <= 1);
      }
      CHECK((seen.size() > 1) == (groups > 1 && groups < heads));
    }
  }
}

TEST_CASE("AsymGQA: a move keeps the number of groups, a swap their sizes, both draw neighbours") {
  const Eigen::MatrixXd distances = random_distances(6, RandomKey(45));
  const NearestHeads nearest(distances);
  int swaps = 0;
  int puts = 0;
  std::uint64_t draw = 0;
  for_each_partition(6, [&](const Partition& partition) {
    if (partition.groups() == 1) return;
    const Neighbourhood around = one_move_from(partition, distances);
    std::set<Partition> reached;
    for (int repeat = 0; repeat < 300; ++repeat) {
      RandomStream random(RandomKey(46).split(draw++));
      const Partition next = random_move(partition, nearest, AsymGqaMoves::kSwapsAndMoves, random);
      REQUIRE(next.groups() == partition.groups());
      swaps += around.swapped.contains(next) ? 1 : 0;
      puts += around.put.contains(next) ? 1 : 0;
      REQUIRE((around.swapped.contains(next) || around.put.contains(next)));
      reached.insert(next);
      RandomStream again(RandomKey(47).split(draw));
      const Partition swapped = random_move(partition, nearest, AsymGqaMoves::kSwaps, again);
      REQUIRE(group_sizes(swapped) == group_sizes(partition));
      REQUIRE(around.swapped.contains(swapped));
    }
    std::set<Partition> all = around.swapped;
    all.insert(around.put.begin(), around.put.end());
    CHECK(reached == all);
  });
  CHECK(swaps > 10000);
  CHECK(puts > 10000);
}

TEST_CASE("AsymGQA: a unit's search is the one that METHODS describes, draw by draw") {
  const Unit8 unit;
  for (const AsymGqaMoves moves : {AsymGqaMoves::kSwapsAndMoves, AsymGqaMoves::kSwaps}) {
    for (int groups = 2; groups <= 7; ++groups) {
      for (const AsymGqaOptions& options :
           {AsymGqaOptions{30, 0.1, 0.1}, AsymGqaOptions{30, 0.7, 0.5}, AsymGqaOptions{0}}) {
        const RandomKey key = RandomKey(48).split(static_cast<std::uint64_t>(groups));
        const NearestHeads nearest(unit.distances);
        AsymGqaUnitSearch search(groups, nearest, moves, options, key);
        while (const Partition* candidate = search.candidate()) {
          search.take(unit.table().partition_cost(*candidate));
        }
        CHECK(search.best() ==
              naive_unit_search(unit.table(), unit.distances, groups, moves, options, key));
        CHECK(search.evaluations() == 1 + static_cast<std::size_t>(options.iterations));
        CHECK(search.evaluations() == asymgqa_candidates(8, groups, options));
      }
    }
  }
}

TEST_CASE("AsymGQA: the best candidate is kept, and acceptance and reset decide what comes next") {
  const Unit8 unit;
  const auto check_best = [&](const Trace& run) {
    const auto least = std::min_element(run.scores.begin(), run.scores.end());
    CHECK(run.candidates[static_cast<std::size_t>(least - run.scores.begin())] == run.found);
  };
  SECTION("acceptance 0: every candidate is one move from the best so far") {
    const Trace run = trace(unit.table(), unit.distances, 3, {200, 0, 0}, RandomKey(49));
    check_best(run);
    std::size_t best = 0;
    for (std::size_t i = 1; i < run.candidates.size(); ++i) {
      CHECK(is_one_move(run.candidates[best], run.candidates[i], unit.distances));
      if (run.scores[i] < run.scores[best]) best = i;
    }
    CHECK(best > 0);
  }
  SECTION("acceptance 1: every candidate is one move from the last") {
    const Trace run = trace(unit.table(), unit.distances, 3, {200, 1, 0}, RandomKey(50));
    check_best(run);
    for (std::size_t i = 1; i < run.candidates.size(); ++i) {
      CHECK(is_one_move(run.candidates[i - 1], run.candidates[i], unit.distances));
    }
  }
  SECTION("reset 1: every candidate is one move from new random groups") {
    const Trace run = trace(unit.table(), unit.distances, 3, {200, 0.5, 1}, RandomKey(51));
    check_best(run);
    for (std::size_t i = 1; i < run.candidates.size(); ++i) {
      RandomStream random(RandomKey(51).split(i));
      REQUIRE(random.chance(1));
      const Partition fresh = random_partition(8, 3, GroupSizes::kEqual, random);
      CHECK(is_one_move(fresh, run.candidates[i], unit.distances));
    }
  }
}

TEST_CASE("AsymGQA: where there is nothing to choose nothing is scored") {
  const Unit8 unit;
  CHECK(trace(unit.table(), unit.distances, 1, {}, RandomKey(1)).found == Partition::one_group(8));
  CHECK(trace(unit.table(), unit.distances, 8, {}, RandomKey(1)).found == Partition::singletons(8));
  CHECK(trace(unit.table(), unit.distances, 8, {}, RandomKey(1)).candidates.empty());
}
