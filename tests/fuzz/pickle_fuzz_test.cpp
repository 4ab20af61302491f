#include <array>
#include <cstdint>
#include <filesystem>
#include <random>
#include <string>

#include "models/checkpoint/finite_scan.hpp"
#include "models/checkpoint/pickle_file.hpp"
#include "search/base/error.hpp"
#include "tests/fuzz/tensor_bytes.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/torch_archive.hpp"

// Broken files of torch.save: the reader works or throws InputError, and every byte of every tensor
// that it returns can be read. Meant to run under the address and undefined-behaviour sanitizers as
// well.
namespace regroup::models {
namespace {

using namespace tests::pickled;
using tests::TemporaryDirectory;
using tests::torch_archive;
using Random = std::mt19937_64;

std::string valid_pickle() {
  const std::string floats = storage("FloatStorage", "0", 6);
  const std::string halves = storage("HalfStorage", "1", 4);
  return program(ordered_dict({{"a", tensor(floats, 0, {2, 3}, {3, 1})},
                               {"b", tensor(floats, 1, {2, 2}, {1, 2})},
                               {"c", "q\x01" + tensor(halves, 4, {0}, {1})},
                               {"d", call(global("torch._utils", "_rebuild_parameter"),
                                          {tensor(halves, 0, {4}, {1}), "\x88", "N"})}}));
}

std::string archive_of(const std::string& pickle) {
  return torch_archive(pickle, {{"0", std::string(24, 'x')}, {"1", std::string(8, 'y')}});
}

/// What is likely to change a pickle's meaning without breaking it at once.
const std::array<std::string, 20> kPieces = {
    "(", "t", ")", "]",    "}",    "s",     "u",     "a",     "e",     "R",
    "b", "N", "Q", "\x85", "\x86", "h\x01", "q\x01", "K\x02", "K\xff", "J\xff\xff\xff\xff"};

void mutate(Random& random, std::string& bytes) {
  if (bytes.empty()) return;
  const std::size_t at = random() % bytes.size();
  switch (random() % 5) {
    case 0:
      bytes[at] = static_cast<char>(random());
      break;
    case 1:
      bytes[at] = static_cast<char>(static_cast<unsigned char>(bytes[at]) ^ (1U << random() % 8));
      break;
    case 2:
      bytes.erase(at, 1 + random() % 8);
      break;
    case 3:
      bytes.insert(at, kPieces[random() % kPieces.size()]);
      break;
    default:
      bytes.insert(at, bytes.substr(random() % bytes.size(), random() % 60));
  }
}

struct Outcomes {
  int accepted = 0;
  int refused = 0;
  int tensors = 0;
  std::size_t foreign_bytes = 0;  ///< in tensors, that no record was filled with
};

/// Opens the file; whatever is thrown but InputError fails the test.
void try_to_read(const std::filesystem::path& path, Outcomes& outcomes) {
  try {
    const PickleFile file(path);
    for (const TensorView& tensor : file.tensors()) {
      REQUIRE(tensor.bytes.size() == tests::bytes_of_shape(tensor));
      outcomes.foreign_bytes += tests::count_foreign_bytes(tensor, "xy");
      static_cast<void>(first_not_finite(tensor));
      REQUIRE(file.find(tensor.name) == &tensor);
      ++outcomes.tensors;
    }
    ++outcomes.accepted;
  } catch (const InputError& error) {
    REQUIRE(std::string(error.what()).size() < 2000);
    ++outcomes.refused;
  }
}

TEST_CASE("mutated pickles in archives of the right frame") {
  const TemporaryDirectory directory;
  Random random(20'240'602);  // NOLINT: a fixed seed, so that a failure can be repeated
  Outcomes outcomes;
  for (int i = 0; i < 6000; ++i) {
    std::string pickle = valid_pickle();
    for (std::uint64_t n = 1 + random() % 2; n > 0; --n) mutate(random, pickle);
    try_to_read(directory.write("a.bin", archive_of(pickle)), outcomes);
  }
  CHECK(outcomes.accepted > 20);
  CHECK(outcomes.tensors > 60);
  CHECK(outcomes.foreign_bytes == 0);
  CHECK(outcomes.refused > 3000);
}

TEST_CASE("mutated archives of torch.save") {
  const TemporaryDirectory directory;
  Random random(3);  // NOLINT
  Outcomes outcomes;
  const std::string valid = archive_of(valid_pickle());
  for (int i = 0; i < 4000; ++i) {
    std::string bytes = valid;
    for (std::uint64_t n = 1 + random() % 2; n > 0; --n) mutate(random, bytes);
    try_to_read(directory.write("a.bin", bytes), outcomes);
  }
  CHECK(outcomes.accepted > 20);
  CHECK(outcomes.tensors > 60);
  CHECK(outcomes.foreign_bytes > 0);  // mutated in the records
  CHECK(outcomes.refused > 1000);
}

}  // namespace
}  // namespace regroup::models
