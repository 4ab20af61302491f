// Which points a run shows, and which of them it marks as its front.

#include "runs/points/run_points.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "models/merge/operators/merge_table.hpp"
#include "search/base/error.hpp"
#include "search/problem/baselines.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/error_message.hpp"
#include "tests/support/random_tables.hpp"

using namespace regroup;
using namespace regroup::tests;
using runs::RunPoint;
using search::Grouping;
using search::GroupingProblem;
using search::ModelPoint;
using search::Partition;
using search::PartitionSharing;

namespace {

constexpr int kLayers = 2;
constexpr int kHeads = 4;
constexpr int kSource = 2 * kLayers * kHeads;
constexpr std::uint64_t kKey = 5;

GroupingProblem problem_of(PartitionSharing sharing) {
  return random_problem(kLayers, kHeads, sharing, search::RandomKey(31));
}

/// The run's own points, of which so many are measured.
runs::OwnSeries own_series(int measured) {
  return {"qcqa-ac", models::find_merge("first"), {measured, {}}};
}

/// One grouping for every pair of numbers of groups, whatever its error: by ascending size, sizes
/// several times.
std::vector<ModelPoint> all_pairs(const GroupingProblem& problem) {
  std::vector<ModelPoint> points;
  for (int a = 1; a <= kHeads; ++a) {
    for (int b = 1; b <= kHeads; ++b) {
      const Partition first = Partition::neighbours(kHeads, a);
      const Partition second = Partition::neighbours(kHeads, b);
      points.push_back(problem.point({{{first, first}, {second, second}}}));
    }
  }
  std::ranges::stable_sort(points, {}, [](const ModelPoint& p) { return p.objectives.size; });
  return points;
}

/// The front by its definition: no other point is as small and as good, and better in one.
std::vector<ModelPoint> naive_front(const std::vector<ModelPoint>& points) {
  std::vector<ModelPoint> front;
  for (const ModelPoint& point : points) {
    const auto& own = point.objectives;
    const bool beaten = std::ranges::any_of(points, [&](const ModelPoint& other) {
      const auto& o = other.objectives;
      return o.size <= own.size && o.error <= own.error &&
             (o.size < own.size || o.error < own.error);
    });
    if (!beaten) front.push_back(point);
  }
  return front;
}

std::vector<RunPoint> choose(const GroupingProblem& problem, const std::vector<ModelPoint>& front,
                             const std::vector<double>& limits, int measure,
                             const std::optional<runs::ComparedFront>& paper = std::nullopt,
                             std::uint64_t key = kKey) {
  search::MethodResult found;
  found.front = front;
  return runs::choose_points(own_series(measure), limits, problem, found, paper,
                             search::RandomKey(key));
}

std::vector<RunPoint> of_series(const std::vector<RunPoint>& points, const std::string& series) {
  std::vector<RunPoint> own;
  std::ranges::copy_if(points, std::back_inserter(own),
                       [&](const RunPoint& point) { return point.series == series; });
  return own;
}

/// The largest number of KV heads of a grouping with the same number of neighbouring groups in all
/// layers that is at most `kv_heads`.
int naive_neighbour_size(int kv_heads) {
  int largest = 0;
  for (int groups = 1; groups <= kHeads; ++groups) {
    const int size = Grouping::uniform(kLayers, Partition::neighbours(kHeads, groups)).kv_heads();
    if (size <= kv_heads) largest = std::max(largest, size);
  }
  return largest;
}

/// The first of the cheapest points within a limit; null if none is.
const ModelPoint* naive_best(const std::vector<ModelPoint>& front, double limit) {
  const ModelPoint* best = nullptr;
  for (const ModelPoint& point : front) {
    if (point.grouping.kv_ratio() > limit) continue;
    if (best == nullptr || point.objectives.error < best->objectives.error) best = &point;
  }
  return best;
}

/// Series stand together, in the order of their first points.
std::vector<std::string> series_in_order(const std::vector<RunPoint>& points) {
  std::vector<std::string> order;
  for (const RunPoint& point : points) {
    if (order.empty() || order.back() != point.series) order.push_back(point.series);
  }
  return order;
}

}  // namespace

TEST_CASE("without limits the points of a run are spread over the front, baselines beside them") {
  const GroupingProblem problem = problem_of(PartitionSharing::kJoint);
  const std::vector<ModelPoint> front = naive_front(all_pairs(problem));
  REQUIRE(front.size() >= 5);
  for (const int measure : {0, 1, 2, 4, 1000}) {
    CAPTURE(measure);
    const std::vector<RunPoint> points = choose(problem, front, {}, measure);
    const std::vector<RunPoint> own = of_series(points, "search");
    const std::size_t most = measure == 0 ? 24 : static_cast<std::size_t>(measure);
    REQUIRE(own.size() == std::min(most, front.size()));
    CHECK(own.front().point.grouping == front.front().grouping);
    if (most > 1) CHECK(own.back().point.grouping == front.back().grouping);
    std::set<int> sizes;
    for (std::size_t i = 0; i < own.size(); ++i) {
      const auto place = std::ranges::find(front, own[i].point.grouping, &ModelPoint::grouping);
      REQUIRE(place != front.end());
      CHECK(own[i].point.objectives == place->objectives);
      if (i > 0) CHECK(own[i - 1].point.objectives.size < own[i].point.objectives.size);
      CHECK(own[i].recipe == models::MergeRecipe(models::find_merge("first")));
      CHECK(own[i].method == "qcqa-ac");
      CHECK_FALSE(own[i].kv_limit);
      const int size = naive_neighbour_size(place->grouping.kv_heads());
      if (size < kSource) sizes.insert(size);
    }
    std::vector<int> neighbours;
    for (const RunPoint& point : of_series(points, "neighbour")) {
      const int size = point.point.grouping.kv_heads();
      CHECK(point.point.grouping ==
            Grouping::uniform(kLayers, Partition::neighbours(kHeads, size / (2 * kLayers))));
      neighbours.push_back(size);
    }
    CHECK(neighbours == std::vector<int>(sizes.begin(), sizes.end()));
    const std::vector<RunPoint> mqa = of_series(points, "mqa");
    REQUIRE(mqa.size() == 1);
    CHECK(mqa[0].point.grouping == Grouping::uniform(kLayers, Partition::one_group(kHeads)));
    CHECK(of_series(points, "random").size() == 3 * sizes.size());
  }
}

TEST_CASE("the series of a run stand in one order, baselines merged by the mean") {
  const GroupingProblem problem = problem_of(PartitionSharing::kJoint);
  const std::vector<ModelPoint> front = naive_front(all_pairs(problem));
  const models::MergeRecipe paper_recipe(models::find_merge("medoid"));
  const runs::ComparedFront paper{"paper", "qcqa-ac", paper_recipe, front};
  for (const std::vector<double>& limits : {std::vector<double>{}, {0.3, 0.5, 0.8}}) {
    const std::vector<RunPoint> points = choose(problem, front, limits, 24, paper);
    CHECK(series_in_order(points) ==
          std::vector<std::string>{"search", "paper", "neighbour", "mqa", "random"});
    std::map<std::string, double> last;
    std::set<std::string> names;
    for (const RunPoint& point : points) {
      CAPTURE(point.name);
      CHECK(point.point.objectives.size >= last[point.series]);
      last[point.series] = point.point.objectives.size;
      CHECK(point.point.objectives == problem.objectives(point.point.grouping));
      CHECK_FALSE(point.on_front);
      CHECK_FALSE(point.loss);
      const bool is_baseline = point.series != "search" && point.series != "paper";
      if (is_baseline) CHECK(point.recipe == models::MergeRecipe());
      if (point.series == "paper") CHECK(point.recipe == paper_recipe);
      CHECK(point.name.starts_with(is_baseline ? "baseline-" + point.series : point.series + "-"));
      // With limits MQA answers each of them, by one grouping.
      if (point.series != "mqa") CHECK(names.insert(point.name).second);
    }
    CHECK(names.size() > 8);
  }
}

TEST_CASE("with limits a run shows the first of the cheapest groupings within each") {
  for (const PartitionSharing sharing :
       {PartitionSharing::kJoint, PartitionSharing::kIndependent}) {
    const GroupingProblem problem = problem_of(sharing);
    std::vector<ModelPoint> front = naive_front(all_pairs(problem));
    // Ties in size and error: the first counts. And one that is larger and no better.
    const auto copied = std::ranges::find_if(front, [](const ModelPoint& point) {
      return point.grouping.layers[0] != point.grouping.layers[1];
    });
    REQUIRE(copied != front.end());
    ModelPoint tie = *copied;
    std::swap(tie.grouping.layers[0], tie.grouping.layers[1]);
    front.insert(copied + 1, tie);
    front.back().objectives.error = front[front.size() - 2].objectives.error;
    // Between sizes, at them, and where rounding of the product might lose one.
    const std::vector<double> limits = {0.25, 0.3, 0.4375, 0.5, 0.7, 0.75, 0.99, 1.0};
    const std::vector<RunPoint> points = choose(problem, front, limits, 24);
    const std::vector<RunPoint> own = of_series(points, "search");
    const std::vector<RunPoint> neighbours = of_series(points, "neighbour");
    const std::vector<RunPoint> random = of_series(points, "random");
    REQUIRE(own.size() == limits.size());
    REQUIRE(neighbours.size() == limits.size());
    REQUIRE(of_series(points, "mqa").size() == limits.size());
    REQUIRE(random.size() == 3 * limits.size());
    for (std::size_t i = 0; i < limits.size(); ++i) {
      CAPTURE(limits[i]);
      const ModelPoint* best = naive_best(front, limits[i]);
      REQUIRE(best != nullptr);
      CHECK(own[i].point.grouping == best->grouping);
      CHECK(own[i].kv_limit == limits[i]);
      const int within = static_cast<int>(std::floor(limits[i] * kSource));
      CHECK(neighbours[i].point.grouping.kv_heads() == naive_neighbour_size(within));
      CHECK(neighbours[i].kv_limit == limits[i]);
      const bool in_pairs = sharing == PartitionSharing::kJoint;
      for (std::size_t draw = 0; draw < 3; ++draw) {
        const RunPoint& point = random[3 * i + draw];
        CHECK(point.point.grouping.kv_heads() == (in_pairs ? within / 2 * 2 : within));
        CHECK(point.kv_limit == limits[i]);
        CHECK(point.name.ends_with(fmt::format("-{}", draw + 1)));
      }
    }
  }
}

TEST_CASE("a limit that no grouping keeps is refused, one that the front misses gives no point") {
  const GroupingProblem problem = problem_of(PartitionSharing::kJoint);
  const std::vector<ModelPoint> front = naive_front(all_pairs(problem));
  CHECK_THAT(error_message<InputError>([&] { choose(problem, front, {0.2}, 24); }),
             contains("below the smallest"));
  const std::vector<ModelPoint> large(front.end() - 2, front.end());
  const std::vector<RunPoint> points = choose(problem, large, {0.25, 1.0}, 24);
  CHECK(of_series(points, "search").size() == 1);
  CHECK(of_series(points, "neighbour").size() == 2);
  const std::vector<RunPoint> nothing = choose(problem, {}, {0.5}, 24);
  CHECK(series_in_order(nothing) == std::vector<std::string>{"neighbour", "mqa", "random"});
  CHECK(series_in_order(choose(problem, {}, {}, 24)) == std::vector<std::string>{"mqa"});
}

TEST_CASE("random baselines come from the key, three unlike draws of a size") {
  const GroupingProblem problem = problem_of(PartitionSharing::kJoint);
  const std::vector<ModelPoint> front = naive_front(all_pairs(problem));
  const auto draws = [&](std::uint64_t key, const std::vector<double>& limits) {
    std::vector<Grouping> groupings;
    for (const RunPoint& point :
         of_series(choose(problem, front, limits, 24, std::nullopt, key), "random")) {
      groupings.push_back(point.point.grouping);
    }
    return groupings;
  };
  const std::vector<Grouping> first = draws(1, {0.5, 0.75});
  REQUIRE(first.size() == 6);
  CHECK(draws(1, {0.5, 0.75}) == first);
  CHECK(draws(2, {0.5, 0.75}) != first);
  // A size draws the same whatever other sizes are asked for.
  CHECK(draws(1, {0.75}) == std::vector<Grouping>(first.begin() + 3, first.end()));
  CHECK(std::set<Grouping>(first.begin(), first.begin() + 3).size() > 1);
  // Draws of unlike sizes have nothing in common: the key is split by the KV heads, then the draw.
  CHECK(first[1] == search::random_grouping(problem, 8, search::RandomKey(1).split(8).split(1)));
  CHECK(first[5] == search::random_grouping(problem, 12, search::RandomKey(1).split(12).split(2)));
  // Of 7 KV heads in pairs 6 can be had: the draws of 6.
  CHECK(draws(1, {0.4375}) == draws(1, {0.375}));
}

TEST_CASE("the marked front is that of the losses, of the prices where nothing is measured") {
  search::RandomStream random{search::RandomKey(77)};
  int marked = 0;
  int beaten_points = 0;
  for (int draw = 0; draw < 200; ++draw) {
    const bool measured = draw % 2 == 0;
    std::vector<RunPoint> points(static_cast<std::size_t>(draw % 13));
    // A coarse grid: equal sizes, equal errors and copies abound. The prices of measured points
    // say something else.
    for (RunPoint& point : points) {
      point.point.objectives = {1.0 * random.below(5), 1.0 * random.below(5)};
      if (measured) point.loss = fitness::LossEstimate{.mean = 1.0 * random.below(5)};
      point.on_front = random.below(2) == 0;
    }
    const std::vector<RunPoint> before = points;
    runs::mark_front(points);
    const auto error = [](const RunPoint& point) {
      return point.loss ? point.loss->mean : point.point.objectives.error;
    };
    for (const RunPoint& point : points) {
      const double size = point.point.objectives.size;
      const bool beaten = std::ranges::any_of(before, [&](const RunPoint& other) {
        const double s = other.point.objectives.size;
        return s <= size && error(other) <= error(point) &&
               (s < size || error(other) < error(point));
      });
      CHECK(point.on_front == !beaten);
      (beaten ? beaten_points : marked) += 1;
    }
  }
  CHECK(marked > 200);
  CHECK(beaten_points > 200);
}
