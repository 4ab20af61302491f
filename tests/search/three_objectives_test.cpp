// Dominance, ranks, crowding, archive, hypervolume and NSGA-II where candidates differ in compute.

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <set>
#include <tuple>

#include "search/base/error.hpp"
#include "search/base/random.hpp"
#include "search/evolution/archive.hpp"
#include "search/evolution/nsga2.hpp"
#include "search/evolution/pareto.hpp"
#include "search/evolution/variations/bounded_integers.hpp"
#include "tests/search/function_evaluator.hpp"
#include "tests/search/naive_pareto.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/csv_rows.hpp"
#include "tests/support/near.hpp"
#include "tests/support/paths.hpp"

using namespace regroup::search;
using namespace regroup::tests;

namespace {

using Sides = std::array<int, 3>;

/// Points on a grid of so many integers a side, the last quarter of them copies of others.
std::vector<Objectives> grid_with_copies(std::size_t count, const Sides& sides, RandomKey key) {
  RandomStream random(key);
  std::vector<Objectives> points(count);
  for (std::size_t i = 0; i < count; ++i) {
    Objectives& point = points[i];
    point = {1.0 * random.below(sides[0]), 1.0 * random.below(sides[1]),
             1.0 * random.below(sides[2])};
    if (i >= count - count / 4) point = points[random.below(i)];
  }
  return points;
}

/// Sides from 1, so that each of the objectives is constant now and then.
Sides random_sides(RandomKey key) {
  RandomStream random(key);
  return {1 + random.below(9), 1 + random.below(9), 1 + random.below(9)};
}

std::vector<Objectives> with_compute(std::vector<Objectives> points, double compute) {
  for (Objectives& point : points) point.compute = compute;
  return points;
}

/// What pagmo2 says of a set of points (pareto_goldens/make.py).
struct PagmoSet {
  std::vector<Objectives> points;
  std::vector<int> ranks;
  std::vector<double> crowding;  // empty if pagmo2 was not asked
  Objectives reference;
  double hypervolume = 0;
};

std::vector<PagmoSet> pagmo_sets() {
  const auto folder = source_folder() / "tests/search/pareto_goldens";
  const auto objectives = [](const CsvRow& row) {
    return Objectives{number(row, "size"), number(row, "error"), number(row, "compute")};
  };
  std::vector<PagmoSet> sets;
  for (const CsvRow& row : read_csv(folder / "sets.csv")) {
    sets.push_back({{}, {}, {}, objectives(row), number(row, "hypervolume")});
  }
  for (const CsvRow& row : read_csv(folder / "points.csv")) {
    PagmoSet& set = sets.at(static_cast<std::size_t>(number(row, "set")));
    set.points.push_back(objectives(row));
    set.ranks.push_back(static_cast<int>(number(row, "rank")));
    const bool is_known = row.at("crowding") != "-";
    set.crowding.push_back(is_known ? number(row, "crowding") : -1);
  }
  return sets;
}

/// A model of five layers. Each chooses one of eight options by its number of groups and their
/// width. More groups and wider ones take more room and lose less; of the same room the wider ones
/// lose less and compute more.
Objectives toy_objectives(std::span<const Gene> genes) {
  constexpr std::array kWeights = {1, 2, 3, 5, 8};
  Objectives sum;
  for (std::size_t layer = 0; layer < genes.size(); ++layer) {
    const int groups = 1 + genes[layer] / 2;
    const int width = 1 + genes[layer] % 2;
    sum.size += groups * width;
    sum.error += kWeights[layer] * (48 / (groups * width) + 6 / width);
    sum.compute += 4 * width + groups * width;
  }
  return sum;
}

const BoundedIntegers& toy_genes() {
  static const BoundedIntegers genes(std::vector<Gene>(5, 8));
  return genes;
}

/// The front of all 8⁵ candidates, in the order of an archive.
std::vector<Objectives> toy_front() {
  std::set<Objectives, decltype(&comes_before)> met(&comes_before);
  std::vector<Gene> genes(5);
  for (int candidate = 0; candidate < 1 << 15; ++candidate) {
    for (int layer = 0; layer < 5; ++layer) {
      genes[static_cast<std::size_t>(layer)] = static_cast<Gene>(candidate >> (3 * layer) & 7);
    }
    met.insert(toy_objectives(genes));
  }
  std::vector<Objectives> front;
  std::ranges::copy_if(met, std::back_inserter(front), [&](const Objectives& point) {
    return std::ranges::none_of(
        met, [&](const Objectives& other) { return naive_dominates(other, point); });
  });
  return front;
}

Nsga2 toy_search(const Evaluator& evaluator, int generations, int population = 80) {
  return Nsga2(toy_genes(), evaluator, Genomes(5),
               {.population = population, .generations = generations}, RandomKey(21));
}

}  // namespace

TEST_CASE("dominance looks at all three objectives") {
  const auto points = grid_with_copies(60, {3, 3, 3}, RandomKey(1));
  int dominated = 0;
  for (const Objectives& a : points) {
    for (const Objectives& b : points) {
      CHECK(dominates(a, b) == naive_dominates(a, b));
      if (!dominates(a, b)) continue;
      ++dominated;
      CHECK(comes_before(a, b));
    }
  }
  CHECK(dominated > 100);
  CHECK_FALSE(dominates({1, 1, 2}, {1, 1, 1}));
  CHECK(dominates({1, 1, 1}, {1, 1, 2}));
}

TEST_CASE("ranks by three objectives equal those of peeling fronts, ties and copies included") {
  int deepest = 0;
  for (std::uint64_t i = 0; i < 300; ++i) {
    const auto points =
        grid_with_copies(1 + i % 80, random_sides(RandomKey(i).split(0)), RandomKey(i).split(1));
    const std::vector<int> ranks = non_dominated_ranks(points);
    CHECK(ranks == naive_ranks(points));
    deepest = std::max(deepest, *std::ranges::max_element(ranks));
  }
  CHECK(deepest >= 10);
}

TEST_CASE("crowding distances by three objectives are those of the definition") {
  for (std::uint64_t i = 0; i < 200; ++i) {
    const auto points =
        grid_with_copies(1 + i % 40, random_sides(RandomKey(i).split(2)), RandomKey(i).split(3));
    CHECK(crowding_distances(points) == naive_crowding(points));
  }
}

TEST_CASE("ranks, crowding and hypervolume equal those of pagmo2") {
  int distances = 0;
  for (const PagmoSet& set : pagmo_sets()) {
    CHECK(non_dominated_ranks(set.points) == set.ranks);
    CHECK(hypervolume(set.points, {set.reference.size, set.reference.error,
                                   set.reference.compute}) == set.hypervolume);
    std::map<int, std::vector<std::size_t>> fronts;
    for (std::size_t i = 0; i < set.points.size(); ++i) fronts[set.ranks[i]].push_back(i);
    for (const auto& [rank, members] : fronts) {
      std::vector<Objectives> front;
      for (const std::size_t i : members) front.push_back(set.points[i]);
      const std::vector<double> own = crowding_distances(front);
      for (std::size_t m = 0; m < members.size(); ++m) {
        if (set.crowding[members[m]] < 0) continue;
        CHECK((own[m] == set.crowding[members[m]] ||
               own[m] == near(set.crowding[members[m]], 1e-12)));
        ++distances;
      }
    }
  }
  CHECK(distances > 100);
}

TEST_CASE("a hypervolume of three objectives is the volume of its cells") {
  int left_out = 0;
  for (std::uint64_t i = 0; i < 200; ++i) {
    const auto points =
        grid_with_copies(i % 25, random_sides(RandomKey(i).split(4)), RandomKey(i).split(5));
    const Objectives reference = {6, 7, 5};
    for (const Objectives& point : points) left_out += point.compute >= 5 ? 1 : 0;
    CHECK(hypervolume(points, reference) == naive_hypervolume(points, reference));
  }
  CHECK(left_out > 100);
  CHECK(hypervolume({}, Objectives{1, 1, 1}) == 0);
}

TEST_CASE("a hypervolume of three objectives depends on the points alone") {
  RandomStream random{RandomKey(31)};
  for (int draw = 0; draw < 50; ++draw) {
    std::vector<Objectives> points(1 + static_cast<std::size_t>(draw));
    for (Objectives& point : points) {
      point = {random.unit() - 0.2, random.unit(), 0.3 * random.below(4)};
    }
    points.push_back(points.front());
    const Objectives reference = {0.9, 0.8, 0.85};
    const double volume = hypervolume(points, reference);
    CHECK(volume == near(naive_hypervolume(points, reference), 1e-12));
    random.shuffle(std::span(points));
    CHECK(hypervolume(points, reference) == volume);
  }
}

TEST_CASE("a compute that all points share decides nothing") {
  for (std::uint64_t i = 0; i < 60; ++i) {
    const auto flat = grid_with_copies(1 + i, {8, 8, 1}, RandomKey(i).split(6));
    const auto raised = with_compute(flat, 0.75);
    CHECK(non_dominated_ranks(raised) == non_dominated_ranks(flat));
    CHECK(crowding_distances(raised) == crowding_distances(flat));
    CHECK(hypervolume(raised, 6, 7) == hypervolume(flat, 6, 7));
    CHECK(hypervolume(raised, {6, 7, 1.75}) == near(42 * hypervolume(flat, 6, 7), 1e-12));
  }
}

TEST_CASE("an archive of three objectives holds the non-dominated points, the first of equals") {
  std::size_t kept = 0;
  for (std::uint64_t i = 0; i < 60; ++i) {
    const auto points =
        grid_with_copies(60, random_sides(RandomKey(i).split(7)), RandomKey(i).split(8));
    ParetoArchive archive;
    std::vector<ParetoArchive::Entry> expected;
    for (std::size_t p = 0; p < points.size(); ++p) {
      const ParetoArchive::Entry offered = {points[p], {static_cast<Gene>(p)}};
      const bool is_covered = std::ranges::any_of(expected, [&](const auto& entry) {
        return entry.objectives == points[p] || naive_dominates(entry.objectives, points[p]);
      });
      CHECK(archive.offer(offered.genome, points[p]) == !is_covered);
      if (is_covered) continue;
      std::erase_if(expected, [&](const auto& entry) {
        return naive_dominates(points[p], entry.objectives);
      });
      expected.push_back(offered);
    }
    std::ranges::sort(expected, [](const auto& a, const auto& b) {
      return std::tie(a.objectives.size, a.objectives.error, a.objectives.compute) <
             std::tie(b.objectives.size, b.objectives.error, b.objectives.compute);
    });
    CHECK(archive.entries() == expected);
    CHECK(archive.size() == expected.size());
    CHECK(ParetoArchive(expected).entries() == expected);
    REQUIRE(archive.objectives().size() == expected.size());
    for (std::size_t e = 0; e < expected.size(); ++e) {
      CHECK(archive.objectives()[e] == expected[e].objectives);
    }
    kept += expected.size();
  }
  CHECK(kept > 100);
}

TEST_CASE("NSGA-II finds the whole front of three objectives") {
  const FunctionEvaluator evaluator(toy_objectives);
  Nsga2 search = toy_search(evaluator, 100, 200);
  const ParetoArchive archive = run_to_end(search, {}, {});
  const std::vector<Objectives> front = toy_front();
  CHECK(front.size() == 122);
  CHECK(archive.objectives() == front);
  CHECK(search.evaluations() < 21000);  // of 32768
}

TEST_CASE("a search by three objectives that was broken off goes on to the same end") {
  const FunctionEvaluator evaluator(toy_objectives);
  Nsga2 unbroken = toy_search(evaluator, 12);
  run_to_end(unbroken, {}, {});
  for (const int generations : {0, 5, 11}) {
    Nsga2 broken = toy_search(evaluator, generations);
    run_to_end(broken, {}, {});
    RecordWriter record;
    write(record, broken.state());
    const std::string bytes = std::move(record).bytes();
    RecordReader reader(bytes);
    Nsga2 resumed = toy_search(evaluator, 12);
    resumed.restore(read_nsga2_state(reader));
    run_to_end(resumed, {}, {});
    CHECK(resumed.state() == unbroken.state());
  }
  CHECK(unbroken.state().objectives.front().compute > 0);
}

TEST_CASE("a search whose candidates share their compute is one by two objectives") {
  const auto flat = [](double compute) {
    return FunctionEvaluator([=](std::span<const Gene> genes) {
      Objectives objectives = toy_objectives(genes);
      objectives.compute = compute;
      return objectives;
    });
  };
  const auto zero = flat(0);
  const auto raised = flat(0.75);
  Nsga2 first = toy_search(zero, 30);
  Nsga2 second = toy_search(raised, 30);
  run_to_end(first, {}, {});
  run_to_end(second, {}, {});
  Nsga2State state = second.state();
  state.objectives = with_compute(state.objectives, 0);
  for (ParetoArchive::Entry& entry : state.archive) entry.objectives.compute = 0;
  CHECK(state == first.state());
}

TEST_CASE("a limit of the size counts for three objectives, too") {
  for (std::uint64_t i = 0; i < 50; ++i) {
    const auto points = grid_with_copies(40, {8, 8, 8}, RandomKey(i).split(9));
    const double limit = static_cast<double>(i % 9);
    const auto beats = [&](const Objectives& a, const Objectives& b) {
      return naive_beats_within(limit, a, b);
    };
    CHECK(constrained_ranks(points, limit) == naive_ranks(points, beats));
  }
}

TEST_CASE("a compute that is no number is refused") {
  const FunctionEvaluator evaluator([](std::span<const Gene>) {
    return Objectives{1, 1, std::numeric_limits<double>::quiet_NaN()};
  });
  Nsga2 search = toy_search(evaluator, 1);
  CHECK_THROWS_AS(search.step(), regroup::WorkError);
}
