#include "models/layers/head_map.hpp"

#include "search/base/error.hpp"
#include "tests/support/catch.hpp"

using namespace regroup;
using namespace regroup::models;
using namespace regroup::tests;

TEST_CASE("a head map says which stored head each query head reads") {
  const HeadMap map({2, 0, 0, 2}, 3);
  CHECK(map.queries() == 4);
  CHECK(map.stored() == 3);
  CHECK(map[0] == 2);
  CHECK(map[1] == 0);
  CHECK_FALSE(map.is_identity());
  CHECK(HeadMap({0, 1, 2}, 3).is_identity());
  CHECK_FALSE(HeadMap({0, 1, 2}, 4).is_identity());  // one is stored that nobody reads
}

TEST_CASE("neighbouring query heads share a stored head evenly") {
  CHECK(HeadMap::even(6, 3) == HeadMap({0, 0, 1, 1, 2, 2}, 3));
  CHECK(HeadMap::even(4, 4).is_identity());
  CHECK_THROWS_AS(HeadMap::even(6, 4), WorkError);
  CHECK_THROWS_AS(HeadMap::even(6, 0), WorkError);
}

TEST_CASE("a head that is not stored cannot be read") {
  for (const int head : {-1, 2}) {
    CHECK_THROWS_WITH(HeadMap({0, head, 1}, 2), contains("query head 1") && contains("2 stored"));
  }
}
