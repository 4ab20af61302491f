#include "search/problem/front_selection.hpp"

#include "tests/support/catch.hpp"

using namespace regroup::search;

namespace {

/// A front whose points are known by their sizes.
std::vector<ModelPoint> front_of(const std::vector<int>& sizes) {
  std::vector<ModelPoint> front;
  for (const int size : sizes) front.push_back({{}, {1.0 * size, 100.0 - size}});
  return front;
}

std::vector<int> sizes_of(const std::vector<ModelPoint>& points) {
  std::vector<int> sizes;
  for (const ModelPoint& point : points) sizes.push_back(static_cast<int>(point.objectives.size));
  return sizes;
}

std::vector<int> range(int first, int last, int step) {
  std::vector<int> values;
  for (int value = first; value <= last; value += step) values.push_back(value);
  return values;
}

}  // namespace

TEST_CASE("a short front is taken whole") {
  const auto front = front_of({2, 5, 9});
  CHECK(sizes_of(spread_over_sizes(front, {}, 5)) == std::vector<int>{2, 5, 9});
  CHECK(spread_over_sizes({}, {}, 5).empty());
}

TEST_CASE("uniform sizes are taken first, then the widest gaps are filled") {
  const auto front = front_of(range(8, 64, 1));
  const std::vector<int> uniform = range(8, 64, 8);
  CHECK(sizes_of(spread_over_sizes(front, uniform, 8)) == uniform);
  CHECK(sizes_of(spread_over_sizes(front, uniform, 15)) == range(8, 64, 4));
}

TEST_CASE("points stay spread where there are more uniform sizes than places") {
  const auto front = front_of(range(64, 2048, 2));
  const std::vector<int> sizes = sizes_of(spread_over_sizes(front, range(64, 2048, 64), 24));
  REQUIRE(sizes.size() == 24);
  CHECK(sizes.front() == 64);
  CHECK(sizes.back() == 2048);
  for (std::size_t i = 1; i < sizes.size(); ++i) CHECK(sizes[i] - sizes[i - 1] <= 128);
}

TEST_CASE("one place goes to the smallest point") {
  CHECK(sizes_of(spread_over_sizes(front_of({2, 5, 9}), {}, 1)) == std::vector<int>{2});
}

TEST_CASE("the best within a limit has the least error, not the largest size") {
  std::vector<ModelPoint> front = front_of({2, 5, 9});
  CHECK(best_within(front, 5) == &front[1]);
  CHECK(best_within(front, 8) == &front[1]);
  CHECK(best_within(front, 1) == nullptr);
  front[0].objectives.error = 0;
  CHECK(best_within(front, 9) == &front[0]);
}

TEST_CASE("points of equal sizes are all looked at where there is room for them") {
  std::vector<ModelPoint> front;
  for (const double size : {2, 4, 4, 4, 8}) front.push_back({Grouping(), {size, 1 / size, 0}});
  const std::vector<int> uniform = {2, 4, 8};
  CHECK(spread_over_sizes(front, uniform, 24).size() == front.size());
  CHECK(spread_over_sizes(front, uniform, 4).size() == 4);
}
