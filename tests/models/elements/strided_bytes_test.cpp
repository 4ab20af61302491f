#include "models/elements/strided_bytes.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"

namespace regroup::models {
namespace {

using Numbers = std::vector<std::int64_t>;

std::optional<std::int64_t> reach_of(const Numbers& shape, const Numbers& strides) {
  return reach({shape, strides});
}

bool row_major(const Numbers& shape, const Numbers& strides) {
  return is_row_major({shape, strides});
}

TEST_CASE("how far a strided layout reaches") {
  constexpr auto kMax = std::numeric_limits<std::int64_t>::max();
  CHECK(reach_of({}, {}) == 1);
  CHECK(reach_of({2, 3}, {3, 1}) == 6);
  CHECK(reach_of({2, 3}, {1, 2}) == 6);
  CHECK(reach_of({2, 3}, {4, 1}) == 7);
  CHECK(reach_of({5}, {0}) == 1);
  CHECK(reach_of({0, 3}, {kMax, kMax}) == 0);
  CHECK(reach_of({1}, {kMax}) == 1);
  CHECK(reach_of({2}, {kMax - 1}) == kMax);
  CHECK(reach_of({2}, {kMax}) == std::nullopt);
  CHECK(reach_of({kMax, kMax}, {kMax, kMax}) == std::nullopt);
  CHECK(reach_of({2, 3}, {3, -1}) == std::nullopt);
}

TEST_CASE("which layouts are in row-major order") {
  CHECK(row_major({}, {}));
  CHECK(row_major({2, 3}, {3, 1}));
  CHECK(row_major({2, 1, 3}, {3, 99, 1}));
  CHECK(row_major({0, 3}, {7, 7}));
  CHECK_FALSE(row_major({2, 3}, {1, 2}));
  CHECK_FALSE(row_major({2, 3}, {4, 1}));
  CHECK_FALSE(row_major({2}, {0}));
}

TEST_CASE("elements of a strided layout are copied in row-major order") {
  const std::string memory = "AaBbCcDdEeFf";
  const auto bytes = std::as_bytes(std::span<const char>(memory.data(), memory.size()));
  const auto copied = [&](const Numbers& shape, const Numbers& strides, std::size_t elements) {
    std::string out(2 * elements, '?');
    copy_row_major({shape, strides}, 2, bytes, std::as_writable_bytes(std::span<char>(out)));
    return out;
  };
  CHECK(copied({2, 3}, {3, 1}, 6) == "AaBbCcDdEeFf");
  CHECK(copied({2, 3}, {1, 2}, 6) == "AaCcEeBbDdFf");
  CHECK(copied({2, 2}, {4, 1}, 4) == "AaBbEeFf");
  CHECK(copied({2, 2}, {0, 1}, 4) == "AaBbAaBb");
  CHECK(copied({}, {}, 1) == "Aa");
  CHECK(copied({0, 3}, {3, 1}, 0).empty());
}

}  // namespace
}  // namespace regroup::models
