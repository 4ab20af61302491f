#include "models/elements/tensor_view.hpp"

#include <cstring>

#include "models/elements/conversion.hpp"
#include "search/base/random.hpp"
#include "tests/support/catch.hpp"

using namespace regroup;
using namespace regroup::models;

namespace {

/// A tensor whose bytes are random blocks of a type.
struct BlockTensor {
  BlockTensor(GgmlType type, std::vector<std::int64_t> shape) {
    search::RandomStream random{search::RandomKey(5)};
    bytes.resize(tensor_bytes(type, shape).value());
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(64 * random.unit());
    view.shape = std::move(shape);
    view.bytes = bytes;
    view.storage.blocks = type;
    all.resize(static_cast<std::size_t>(view.elements()));
    read_blocks(type, bytes, all);
  }

  std::vector<std::byte> bytes;
  TensorView view;
  std::vector<float> all;  ///< in the order in which they are stored
};

std::vector<float> part_of(const TensorView& view, std::size_t first, std::size_t count) {
  std::vector<float> values(count);
  read_floats(view, first, values);
  return values;
}

}  // namespace

TEST_CASE("any run of a tensor's elements is read, wherever blocks begin and end") {
  for (const GgmlType type : {GgmlType::kQ4_1, GgmlType::kQ6_K}) {
    const BlockTensor tensor(type, {3, 512});
    CHECK(to_floats(tensor.view) == tensor.all);
    for (const std::size_t first : {0, 1, 31, 32, 255, 256, 511, 700}) {
      for (const std::size_t count : {0, 1, 33, 256, 600}) {
        const auto begin = tensor.all.begin() + static_cast<std::ptrdiff_t>(first);
        const std::vector<float> expected(begin, begin + static_cast<std::ptrdiff_t>(count));
        CHECK(part_of(tensor.view, first, count) == expected);
      }
    }
  }
}

TEST_CASE("rows that are stored in pairs are read in their order") {
  // Two heads of four rows; rows 0 1 2 3 of each are stored as 0 2 1 3.
  std::vector<float> stored(8 * 3);
  for (std::size_t i = 0; i < stored.size(); ++i) stored[i] = static_cast<float>(i);
  TensorView view{.name = "w", .shape = {8, 3}, .bytes = std::as_bytes(std::span(stored))};
  view.storage.paired_rows = 4;
  const std::vector<std::size_t> rows = {0, 2, 1, 3, 4, 6, 5, 7};
  std::vector<float> expected;
  for (const std::size_t row : rows) {
    for (std::size_t i = 0; i < 3; ++i) expected.push_back(static_cast<float>(3 * row + i));
  }
  CHECK(to_floats(view) == expected);
  CHECK(part_of(view, 4, 7) == std::vector<float>(expected.begin() + 4, expected.begin() + 11));
  view.shape = {8};
  view.bytes = view.bytes.first(32);
  CHECK(to_floats(view) == std::vector<float>{0, 2, 1, 3, 4, 6, 5, 7});
}

TEST_CASE("elements are made in the type of the tensor, exactly") {
  std::vector<float> values = {1, -0.5F, 3, 2, 7, 11, -13, 17};
  std::vector<std::byte> halves(16);
  from_float(DType::kF16, values, halves);
  TensorView view{.name = "w", .dtype = DType::kF16, .shape = {4, 2}, .bytes = halves};
  std::vector<std::byte> buffer;
  CHECK(element_bytes(view, buffer).data() == halves.data());
  view.storage.paired_rows = 4;
  const auto made = element_bytes(view, buffer);
  CHECK(made.data() == buffer.data());
  std::vector<float> found(8);
  to_float(DType::kF16, made, found);
  CHECK(found == std::vector<float>{1, -0.5F, 7, 11, 3, 2, -13, 17});

  const BlockTensor blocks(GgmlType::kQ5_0, {2, 32});
  std::vector<std::byte> bytes(64 * sizeof(float));
  read_elements(blocks.view, bytes);
  CHECK(std::memcmp(bytes.data(), blocks.all.data(), bytes.size()) == 0);
}
