#include "models/refit/attended_blocks.hpp"

#include "tests/support/catch.hpp"

using namespace regroup;
using namespace regroup::models;

namespace {

/// Attention of two heads, 7 rows to 7 keys, spread evenly over the keys `attends(row, key)`.
template <class Attends>
at::Tensor map_of(const Attends& attends) {
  at::Tensor map = at::zeros({1, 2, 7, 7});
  for (int row = 0; row < 7; ++row) {
    for (int key = 0; key < 7; ++key) {
      if (attends(row, key)) map[0][key % 2][row][key] = 0.5;
    }
  }
  return map;
}

struct Range {
  std::int64_t first_row, end_row, first_key, end_key;
  bool operator==(const Range&) const = default;
};

std::vector<Range> ranges(const at::Tensor& map, std::int64_t rows) {
  std::vector<Range> all;
  for (const AttendedBlock& block : attended_blocks(map, rows)) {
    all.push_back({block.first_row, block.end_row, block.first_key, block.end_key});
  }
  return all;
}

}  // namespace

TEST_CASE("blocks of a causal map leave out the future, those of a window the past, too") {
  const at::Tensor causal = map_of([](int row, int key) { return key <= row; });
  CHECK((ranges(causal, 3) == std::vector<Range>{{0, 3, 0, 3}, {3, 6, 0, 6}, {6, 7, 0, 7}}));
  const at::Tensor window = map_of([](int row, int key) { return key <= row && key > row - 2; });
  CHECK((ranges(window, 3) == std::vector<Range>{{0, 3, 0, 3}, {3, 6, 2, 6}, {6, 7, 5, 7}}));
  const at::Tensor all = map_of([](int, int) { return true; });
  CHECK((ranges(all, 7) == std::vector<Range>{{0, 7, 0, 7}}));
  // Rows that attend to nothing have all keys, of which each counts nothing.
  CHECK((ranges(at::zeros({1, 2, 7, 7}), 7) == std::vector<Range>{{0, 7, 0, 7}}));
}

TEST_CASE("what lies within a block of a map is all that its rows attend to") {
  const at::Tensor causal = map_of([](int row, int key) { return key <= row; });
  at::Tensor sum = at::zeros({});
  for (const AttendedBlock& block : attended_blocks(causal, 2)) sum += block.of_map(causal).sum();
  CHECK(sum.item<double>() == causal.sum().item<double>());
}
