#include "models/files/atomic_file.hpp"

#include <string>
#include <utility>
#include <vector>

#include "search/base/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/error_message.hpp"
#include "tests/support/file_size_limit.hpp"
#include "tests/support/temporary_directory.hpp"

namespace regroup::models {
namespace {

using tests::contains;
using tests::error_message;
using tests::FileSizeLimit;
using tests::read_file;
using tests::TemporaryDirectory;
using Names = std::vector<std::string>;

TEST_CASE("a file appears under its final name at commit only") {
  const TemporaryDirectory directory;
  const auto path = directory.path() / "front.json";
  AtomicFile file(path);
  file.write("{");
  file.write(std::as_bytes(std::span("}", 1)));
  CHECK(directory.entries() == Names{"front.json.partial"});
  file.commit();
  CHECK(directory.entries() == Names{"front.json"});
  CHECK(read_file(path) == "{}");
}

TEST_CASE("a closed file waits for its commit") {
  const TemporaryDirectory directory;
  AtomicFile file(directory.path() / "a");
  file.write("text");
  file.close();
  CHECK(directory.entries() == Names{"a.partial"});
  CHECK(read_file(directory.path() / "a.partial") == "text");
  file.commit();
  CHECK(directory.entries() == Names{"a"});
}

TEST_CASE("a file that is not committed leaves nothing, and what stood there stays") {
  const TemporaryDirectory directory;
  const auto path = directory.write("a", "old");
  {
    AtomicFile file(path);
    file.write("new");
  }
  CHECK(directory.entries() == Names{"a"});
  CHECK(read_file(path) == "old");
}

TEST_CASE("small and large writes keep their order") {
  const TemporaryDirectory directory;
  const auto path = directory.path() / "a";
  std::string expected;
  AtomicFile file(path);
  for (const std::size_t length : {1U, 65'535U, 2U, 65'536U, 65'537U, 3U, 300'000U, 0U, 5U}) {
    const std::string piece(length, static_cast<char>('a' + expected.size() % 26));
    file.write(piece);
    expected += piece;
  }
  file.commit();
  CHECK(read_file(path) == expected);
}

TEST_CASE("moving an atomic file moves its duty") {
  const TemporaryDirectory directory;
  AtomicFile first(directory.path() / "a");
  first.write("text");
  {
    AtomicFile second(std::move(first));
    second.commit();
  }
  CHECK(read_file(directory.path() / "a") == "text");
}

TEST_CASE("the temporary file may stand in another directory") {
  const TemporaryDirectory directory;
  std::filesystem::create_directory(directory.path() / "state");
  AtomicFile file(directory.path() / "a", directory.path() / "state");
  CHECK(file.temporary_path() == directory.path() / "state" / "a.partial");
  CHECK(directory.entries() == Names{"state"});
  file.commit();
  CHECK(directory.entries() == Names{"a", "state"});
}

TEST_CASE("a stale temporary file is replaced, and a link there is not followed") {
  const TemporaryDirectory directory;
  const auto victim = directory.write("victim", "precious");
  std::filesystem::create_symlink(victim, directory.path() / "a.partial");
  write_file_atomically(directory.path() / "a", "text");
  CHECK(read_file(victim) == "precious");
  CHECK(read_file(directory.path() / "a") == "text");
  CHECK_FALSE(std::filesystem::is_symlink(directory.path() / "a"));
}

TEST_CASE("failures name the file and the system's reason") {
  const TemporaryDirectory directory;
  const auto absent = directory.path() / "absent" / "a";
  const std::string message = error_message<WorkError>([&] { AtomicFile file(absent); });
  CHECK_THAT(message, contains("cannot be created"));
  CHECK_THAT(message, contains("absent/a"));
  CHECK_THAT(message, contains("No such file or directory"));

  const auto occupied = directory.path() / "occupied";
  std::filesystem::create_directory(occupied);
  CHECK_THAT(error_message<WorkError>([&] { write_file_atomically(occupied, "x"); }),
             contains("Is a directory"));
  CHECK(directory.entries() == Names{"occupied"});
}

TEST_CASE("a file beyond the size limit fails and leaves nothing") {
  const TemporaryDirectory directory;
  const auto path = directory.path() / "a";
  for (const std::size_t length : {10'000U, 1'000'000U}) {  // noticed at commit and at write
    const std::string text(length, 'x');
    const std::string message = [&] {
      const FileSizeLimit limit(4096);
      return error_message<WorkError>([&] { write_file_atomically(path, text); });
    }();
    CHECK_THAT(message, contains("File too large"));
  }
  CHECK(directory.entries().empty());
}

TEST_CASE("stale partial files are removed, others stay") {
  const TemporaryDirectory directory;
  directory.write("a.partial", "x");
  directory.write("b.json", "x");
  directory.write("below/c.partial", "x");
  std::filesystem::create_directory(directory.path() / "d.partial");
  remove_stale_partials(directory.path());
  CHECK(directory.entries() == Names{"b.json", "below", "d.partial"});
  CHECK(std::filesystem::exists(directory.path() / "below" / "c.partial"));
  remove_stale_partials(directory.path() / "absent");
}

}  // namespace
}  // namespace regroup::models
