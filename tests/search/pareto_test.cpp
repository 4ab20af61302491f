#include "search/evolution/pareto.hpp"

#include <cmath>

#include "search/base/random.hpp"
#include "search/evolution/archive.hpp"
#include "tests/search/naive_pareto.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/near.hpp"

using namespace regroup::search;
using regroup::tests::Approx;
using regroup::tests::naive_ranks;
using regroup::tests::near;

namespace {

/// Points on a small grid, so that ties and copies abound.
std::vector<Objectives> grid_points(std::size_t count, int side, RandomKey key) {
  RandomStream random(key);
  std::vector<Objectives> points(count);
  for (Objectives& point : points) {
    point.size = random.below(side);
    point.error = random.below(side);
  }
  return points;
}

/// Counts the cells of a fine grid that some point dominates.
double naive_hypervolume(const std::vector<Objectives>& points, int side) {
  int cells = 0;
  for (int x = 0; x < side; ++x) {
    for (int y = 0; y < side; ++y) {
      bool covered = false;
      for (const Objectives& p : points) covered = covered || (p.size <= x && p.error <= y);
      cells += covered ? 1 : 0;
    }
  }
  return static_cast<double>(cells) / (side * side);
}

}  // namespace

TEST_CASE("ranks equal those of peeling fronts, ties and copies included") {
  int deepest = 0;
  for (std::uint64_t i = 0; i < 200; ++i) {
    const auto points = grid_points(1 + i % 60, 2 + static_cast<int>(i % 11), RandomKey(i));
    const std::vector<int> ranks = non_dominated_ranks(points);
    CHECK(ranks == naive_ranks(points));
    for (const int rank : ranks) deepest = std::max(deepest, rank);
  }
  CHECK(deepest >= 5);
  CHECK(non_dominated_ranks({}).empty());
}

TEST_CASE("crowding distances are numbers also where an objective is constant") {
  const std::vector<Objectives> constant = {{1, 3}, {1, 3}, {1, 3}};
  for (const double distance : crowding_distances(constant)) CHECK(distance == 0);
  const std::vector<Objectives> line = {{0, 4}, {1, 2}, {4, 0}};
  const std::vector<double> distances = crowding_distances(line);
  CHECK(std::isinf(distances[0]));
  CHECK(distances[1] == Approx(2.0));
  CHECK(std::isinf(distances[2]));
  CHECK(crowding_distances({}).empty());
}

TEST_CASE("hypervolume equals the counted cells") {
  for (std::uint64_t i = 0; i < 50; ++i) {
    const auto points = grid_points(1 + i % 12, 9, RandomKey(100 + i));
    CHECK(hypervolume(points, 8, 8) == near(naive_hypervolume(points, 8), 1e-12));
  }
  const std::vector<Objectives> free = {{1, 0}};
  CHECK(hypervolume(free, 4, 0) == Approx(0.75));
  CHECK(hypervolume({}, 1, 1) == 0);
}

TEST_CASE("an archive holds the non-dominated points, the first of equals") {
  int kept = 0;
  for (std::uint64_t i = 0; i < 60; ++i) {
    const auto points = grid_points(40, 8, RandomKey(500 + i));
    ParetoArchive archive;
    for (std::size_t p = 0; p < points.size(); ++p) {
      const std::vector<Gene> genome = {static_cast<Gene>(p)};
      archive.offer(genome, points[p]);
    }
    const std::vector<int> ranks = naive_ranks(points);
    for (const ParetoArchive::Entry& entry : archive.entries()) {
      const std::size_t p = entry.genome[0];
      CHECK(ranks[p] == 0);
      for (std::size_t q = 0; q < p; ++q) CHECK_FALSE(points[q] == points[p]);
      ++kept;
    }
    for (std::size_t p = 0; p < points.size(); ++p) {
      bool found = ranks[p] != 0;
      for (const Objectives& o : archive.objectives()) found = found || o == points[p];
      CHECK(found);
    }
  }
  CHECK(kept > 60);
}
