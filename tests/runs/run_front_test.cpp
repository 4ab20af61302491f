// The best point of a run that has been written.

#include "runs/points/run_front.hpp"

#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "search/base/error.hpp"
#include "search/base/random.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/error_message.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace regroup;
using namespace regroup::tests;
using nlohmann::ordered_json;

namespace {

struct Point {
  std::string series;
  double ratio;
  double price;
  double loss = 1;
};

/// A front.json priced by `price`, its points called by their places.
ordered_json front_of(const std::vector<Point>& points, const std::string& price = "wse") {
  ordered_json front = {{"format", "regroup.front"},
                        {"version", 1},
                        {"fitness", "wse"},
                        {"price", price},
                        {"points", ordered_json::array()}};
  for (std::size_t i = 0; i < points.size(); ++i) {
    front["points"].push_back({{"series", points[i].series},
                               {"kv_ratio", points[i].ratio},
                               {price, points[i].price},
                               {"loss", points[i].loss},
                               {"grouping", "groupings/" + std::to_string(i) + ".json"}});
  }
  return front;
}

/// The place of the best point; none if there is none.
std::optional<std::size_t> best(const ordered_json& front, double limit,
                                const std::string& series = "search") {
  const ordered_json* found = runs::best_point(front, series, limit, "front.json");
  if (found == nullptr) return std::nullopt;
  return static_cast<std::size_t>(found - &front["points"][0]);
}

std::string refusal(const ordered_json& front, double limit = 1) {
  return error_message<InputError>(
      [&] { runs::best_point(front, "search", limit, "x/front.json"); });
}

}  // namespace

TEST_CASE("the best point of a front is the first of the cheapest within the limit") {
  search::RandomStream random{search::RandomKey(91)};
  int found = 0;
  int absent = 0;
  for (int draw = 0; draw < 300; ++draw) {
    std::vector<Point> points;
    for (int i = 0; i < draw % 9; ++i) {
      const char* series = random.below(3) == 0 ? "neighbour" : "search";
      // Few ratios and prices, so that equal ones abound, and losses that say something else.
      points.push_back(
          {series, 0.125 * (1 + random.below(8)), 0.5 * random.below(4), 1.0 * random.below(3)});
    }
    const double limit = 0.125 * (1 + random.below(8));
    std::optional<std::size_t> expected;
    double least = std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < points.size(); ++i) {
      if (points[i].series != "search" || points[i].ratio > limit) continue;
      if (points[i].price < least) expected = i;
      least = std::min(least, points[i].price);
    }
    CHECK(best(front_of(points), limit) == expected);
    (expected ? found : absent) += 1;
  }
  CHECK(found > 100);
  CHECK(absent > 50);
}

TEST_CASE("a limit holds a ratio that equals it, rounding apart, and no larger one") {
  const ordered_json front = front_of({{"search", 0.3, 2}, {"search", 0.5, 1}});
  CHECK(best(front, 0.5) == 1U);
  CHECK(best(front, 0.5 - 1e-12) == 1U);
  CHECK(best(front, 0.5 - 1e-6) == 0U);
  CHECK(best(front, 0.1 + 0.2) == 0U);
  CHECK(best(front, 0.29) == std::nullopt);
  CHECK(best(front, 1, "paper") == std::nullopt);
  CHECK(best(front_of({}), 1) == std::nullopt);
}

TEST_CASE("a point's price is what the run chose by, else its fitness, never the loss") {
  std::vector<Point> points = {{"search", 0.5, 3, 0.1}, {"search", 0.25, 2, 0.9}};
  ordered_json front = front_of(points, "selection_kl");
  for (std::size_t i = 0; i < points.size(); ++i) front["points"][i]["wse"] = 1.0 * double(i);
  CHECK(best(front, 1) == 1U);
  front.erase("price");
  CHECK(best(front, 1) == 0U);
  // A baseline has no price of a measured allocation: then by the fitness.
  front["price"] = "selection_kl";
  for (ordered_json& point : front["points"]) point.erase("selection_kl");
  CHECK(best(front, 1) == 0U);
  // A measured fitness has a field of another name.
  front["fitness"] = "loss";
  for (ordered_json& point : front["points"]) {
    point["selection_loss"] = 2.0 - point["wse"].get<double>();
    point.erase("wse");
  }
  CHECK(best(front, 1) == 1U);
}

TEST_CASE("broken points of a front are refused by name") {
  const auto broken = [](const char* field, const ordered_json& value) {
    ordered_json front = front_of({{"search", 0.5, 1}});
    front["points"][0][field] = value;
    return refusal(front);
  };
  CHECK_THAT(broken("kv_ratio", 1.5), contains("kv_ratio"));
  CHECK_THAT(broken("kv_ratio", "half"), contains("x/front.json"));
  CHECK_THAT(broken("series", 3), contains("series"));
  CHECK_THAT(broken("wse", nullptr), contains("wse"));
  CHECK_THAT(broken("wse", std::numeric_limits<double>::quiet_NaN()), contains("a number"));
}

TEST_CASE("the best grouping of a run is named by its file, a limit below all of them refused") {
  const TemporaryDirectory scratch;
  scratch.write(
      "front.json",
      front_of({{"neighbour", 0.125, 0}, {"search", 0.25, 2}, {"search", 0.5, 1}}).dump());
  CHECK(runs::best_grouping_of_run(scratch.path(), 0.4) == scratch.path() / "groupings/1.json");
  CHECK(runs::best_grouping_of_run(scratch.path(), 0.9) == scratch.path() / "groupings/2.json");
  const auto refused = [&](double limit) {
    return error_message<InputError>([&] { runs::best_grouping_of_run(scratch.path(), limit); });
  };
  CHECK_THAT(refused(0.2), contains("no grouping within this KV size"));
  CHECK_THAT(refused(0.2), contains("found: 0.2"));
  CHECK_THAT(refused(0), contains("--kv"));
  CHECK_THAT(refused(1.5), contains("--kv"));
  scratch.write("front.json", R"({"format": "other", "version": 1, "points": []})");
  CHECK_THAT(refused(0.5), contains("regroup.front"));
}
