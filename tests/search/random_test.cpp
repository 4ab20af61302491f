#include "search/base/random.hpp"

#include <algorithm>
#include <numeric>
#include <set>
#include <vector>

#include "tests/support/catch.hpp"

using regroup::search::RandomKey;
using regroup::search::RandomStream;

TEST_CASE("Threefry known answer") {
  // Threefry-2x64-20, key 0, counter 0, from the authors' known-answer file.
  const auto block = RandomKey(0).block(0);
  CHECK(block[0] == 0xc2b6e3a8c2c69865ULL);
  CHECK(block[1] == 0x6f81ed42f350084dULL);
}

TEST_CASE("equal keys draw alike, split keys do not") {
  RandomStream a(RandomKey(7).split(3));
  RandomStream b(RandomKey(7).split(3));
  RandomStream c(RandomKey(7).split(4));
  RandomStream parent(RandomKey(7));
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 100; ++i) {
    const std::uint64_t draw = a.bits();
    CHECK(draw == b.bits());
    seen.insert({draw, c.bits(), parent.bits()});
  }
  CHECK(seen.size() == 300);
}

TEST_CASE("below is uniform and in range") {
  RandomStream random(RandomKey(1));
  std::vector<int> counts(7);
  constexpr int kDraws = 70000;
  for (int i = 0; i < kDraws; ++i) ++counts.at(random.below(std::uint64_t{7}));
  for (const int count : counts) {
    // Five standard deviations of a binomial around 10,000.
    CHECK(count > 10000 - 5 * 93);
    CHECK(count < 10000 + 5 * 93);
  }
  CHECK(random.below(1) == 0);
}

TEST_CASE("unit draws lie from 0 up to but not at 1") {
  RandomStream random(RandomKey(2));
  double sum = 0;
  for (int i = 0; i < 10000; ++i) {
    const double draw = random.unit();
    REQUIRE(draw >= 0);
    REQUIRE(draw < 1);
    sum += draw;
  }
  CHECK(std::abs(sum / 10000 - 0.5) < 0.02);
}

TEST_CASE("shuffle reaches every order") {
  std::set<std::vector<int>> orders;
  for (std::uint64_t i = 0; i < 200; ++i) {
    std::vector<int> items = {0, 1, 2};
    RandomStream random(RandomKey(5).split(i));
    random.shuffle(std::span(items));
    orders.insert(items);
  }
  CHECK(orders.size() == 6);
}
