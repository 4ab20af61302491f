#include "models/files/mapped_file.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <fstream>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "models/files/printable.hpp"
#include "search/base/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/error_message.hpp"
#include "tests/support/temporary_directory.hpp"

namespace regroup::models {
namespace {

using tests::contains;
using tests::error_message;
using tests::TemporaryDirectory;

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Pages of this process that are in memory, shared file pages included.
std::size_t resident_pages() {
  std::ifstream statistics("/proc/self/statm");
  std::size_t total = 0;
  std::size_t resident = 0;
  statistics >> total >> resident;
  return resident;
}

TEST_CASE("a mapped file shows the file's bytes") {
  const TemporaryDirectory directory;
  const auto path = directory.write("file", "some bytes");
  const MappedFile file(path);
  CHECK(text_of(file.bytes()) == "some bytes");
  CHECK(file.path() == path);
}

TEST_CASE("an empty file maps to an empty span") {
  const TemporaryDirectory directory;
  const MappedFile file(directory.write("empty", ""));
  CHECK(file.bytes().empty());
  file.release_pages(file.bytes());
}

TEST_CASE("what cannot be mapped is refused by name") {
  const TemporaryDirectory directory;
  const auto message = [](const std::filesystem::path& path) {
    return error_message<InputError>([&] { MappedFile file(path); });
  };
  CHECK_THAT(message(directory.path() / "absent"), contains("does not exist"));
  CHECK_THAT(message(directory.path() / "absent"), contains("/absent"));
  CHECK_THAT(message(directory.path()), contains("found: a directory"));
  CHECK_THAT(message(directory.write("file", "x") / "below"), contains("Not a directory"));
  const auto pipe = directory.path() / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  CHECK_THAT(message(pipe), contains("a special file"));
}

TEST_CASE("spans outlive a move of the map") {
  static_assert(!std::is_copy_constructible_v<MappedFile>);
  const TemporaryDirectory directory;
  MappedFile first(directory.write("first", "first"));
  const auto bytes = first.bytes();
  MappedFile second(std::move(first));
  CHECK(text_of(bytes) == "first");
  CHECK(second.bytes().data() == bytes.data());
  second = MappedFile(directory.write("other", "other"));
  CHECK(text_of(second.bytes()) == "other");
}

TEST_CASE("released pages leave memory and can be read again") {
  constexpr std::size_t kBytes = 64U << 20U;
  const TemporaryDirectory directory;
  const MappedFile file(directory.write("large", std::string(kBytes, 'a')));
  const auto sum = [&] {
    std::uint64_t total = 0;
    for (const std::byte b : file.bytes()) total += std::to_integer<std::uint64_t>(b);
    return total;
  };
  CHECK(sum() == kBytes * 'a');
  const std::size_t before = resident_pages();
  file.release_pages(file.bytes().subspan(1, kBytes - 2));
  const std::size_t after = resident_pages();
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  CHECK(before - after > kBytes / page / 2);
  CHECK(sum() == kBytes * 'a');
}

TEST_CASE("releasing what is not in the map does nothing") {
  const TemporaryDirectory directory;
  const MappedFile file(directory.write("file", "some bytes"));
  const std::vector<std::byte> other(100'000, std::byte{7});
  file.release_pages(other);
  file.release_pages({});
  CHECK(other[50'000] == std::byte{7});
  CHECK(text_of(file.bytes()) == "some bytes");
}

TEST_CASE("text is made fit for a message") {
  CHECK(printable("q_proj.weight") == "q_proj.weight");
  CHECK(printable("a\x1b[2J\n\x7f") == "a?[2J??");
  CHECK(printable("abcdef", 3) == "abc...");
  CHECK(printable("a\xc3\xa9", 2) == "a...");
  CHECK(printable("") == "");
}

}  // namespace
}  // namespace regroup::models
