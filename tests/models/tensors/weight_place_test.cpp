#include "models/tensors/weight_place.hpp"

#include "tests/support/catch.hpp"

using namespace regroup::models;

namespace {

constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;

}  // namespace

TEST_CASE("weights are put on a device while a quarter of its memory stays free") {
  const DeviceMemory memory{.total = 8 * kGiB, .available = 5 * kGiB, .held = 3 * kGiB};
  CHECK(has_room(memory, 3 * kGiB, std::nullopt));
  CHECK_FALSE(has_room(memory, 3 * kGiB + 1, std::nullopt));
  const DeviceMemory full{.total = 8 * kGiB, .available = kGiB, .held = 7 * kGiB};
  CHECK_FALSE(has_room(full, 1, std::nullopt));
}

TEST_CASE("no more than 16 GiB of a large device stay free") {
  const DeviceMemory memory{.total = 128 * kGiB, .available = 20 * kGiB, .held = 0};
  CHECK(has_room(memory, 4 * kGiB, std::nullopt));
  CHECK_FALSE(has_room(memory, 4 * kGiB + 1, std::nullopt));
}

TEST_CASE("a limit counts what is held already") {
  const DeviceMemory memory{.total = 8 * kGiB, .available = 7 * kGiB, .held = kGiB};
  CHECK(has_room(memory, kGiB, 2 * kGiB));
  CHECK_FALSE(has_room(memory, kGiB + 1, 2 * kGiB));
  CHECK_FALSE(has_room(memory, 1, 0));
}
