#include "tests/bench/support/points.hpp"

#include "search/base/random.hpp"

namespace regroup::bench {

std::vector<search::Objectives> square_points(std::int64_t count) {
  search::RandomStream random{search::RandomKey(1)};
  std::vector<search::Objectives> points(static_cast<std::size_t>(count));
  for (search::Objectives& point : points) point = {random.unit(), random.unit()};
  return points;
}

std::vector<search::Objectives> front_points(std::int64_t count) {
  std::vector<search::Objectives> points = square_points(count);
  for (search::Objectives& point : points) point.error = 1 - point.size;
  return points;
}

}  // namespace regroup::bench
