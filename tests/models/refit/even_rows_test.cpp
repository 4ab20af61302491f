#include "models/refit/even_rows.hpp"

#include "tests/support/catch.hpp"

using namespace regroup::models;

namespace {

/// The positions that are chosen, counted over all windows in a row.
std::vector<std::int64_t> positions(const std::vector<std::int64_t>& lengths, std::int64_t most) {
  std::vector<std::int64_t> begins{0};
  for (const std::int64_t length : lengths) begins.push_back(begins.back() + length);
  std::vector<std::int64_t> all;
  for (const EvenRows& rows : even_rows(lengths, most)) {
    CHECK(rows.first < lengths[rows.window]);
    for (std::int64_t row = rows.first; row < lengths[rows.window]; row += rows.step) {
      all.push_back(begins[rows.window] + row);
    }
  }
  return all;
}

}  // namespace

TEST_CASE("rows are spaced evenly over windows of any lengths, no more than asked for") {
  const std::vector<std::int64_t> lengths = {5, 1, 2, 9, 1, 1, 4};  // 23 positions
  for (std::int64_t most = 1; most <= 25; ++most) {
    CAPTURE(most);
    const std::vector<std::int64_t> found = positions(lengths, most);
    CHECK(std::ssize(found) <= most);
    // No smaller step would do.
    const std::int64_t step = found.size() > 1 ? found[1] - found[0] : 23;
    if (step > 1) CHECK((23 + step - 2) / (step - 1) > most);
    for (std::size_t i = 0; i < found.size(); ++i) {
      CHECK(found[i] == static_cast<std::int64_t>(i) * step);
    }
    CHECK(found.back() + step >= 23);
  }
}

TEST_CASE("all rows are taken where there are few, and windows without any left out") {
  const std::vector<std::int64_t> lengths = {3, 2, 3};
  CHECK((even_rows(lengths, 8) == std::vector<EvenRows>{{0, 0, 1}, {1, 0, 1}, {2, 0, 1}}));
  CHECK((even_rows(lengths, 2) == std::vector<EvenRows>{{0, 0, 4}, {1, 1, 4}}));
  CHECK((even_rows(lengths, 1) == std::vector<EvenRows>{{0, 0, 8}}));
}
