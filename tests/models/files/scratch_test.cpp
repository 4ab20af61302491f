// Memory in files without a name.

#include "models/files/scratch.hpp"

#include <algorithm>
#include <filesystem>
#include <vector>

#include "search/base/error.hpp"
#include "search/base/parallel.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/error_message.hpp"
#include "tests/support/file_size_limit.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace regroup;
using namespace regroup::models;
using namespace regroup::tests;

TEST_CASE("scratch memory begins as zeros, keeps what is written, and leaves no file") {
  const TemporaryDirectory directory;
  std::vector<std::shared_ptr<std::byte>> parts;
  const std::vector<std::size_t> sizes = {1, 100, 4096, std::size_t{20} << 20, 7};
  {
    const Scratch scratch(directory.path());
    for (const std::size_t size : sizes) {
      parts.push_back(scratch.allocate(size));
      const std::byte* start = parts.back().get();
      CHECK(reinterpret_cast<std::uintptr_t>(start) % 64 == 0);
      CHECK(std::all_of(start, start + size, [](std::byte b) { return b == std::byte{0}; }));
      std::fill_n(parts.back().get(), size, static_cast<std::byte>(parts.size()));
      CHECK(scratch.holds(start));
      CHECK(scratch.holds(start + size - 1));
    }
    const int elsewhere = 0;
    CHECK_FALSE(scratch.holds(&elsewhere));
    CHECK(std::filesystem::is_empty(directory.path()));
  }
  // Parts outlive the scratch, and no two overlap.
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const std::byte* start = parts[i].get();
    CHECK(std::all_of(start, start + sizes[i],
                      [&](std::byte b) { return b == static_cast<std::byte>(i + 1); }));
  }
}

TEST_CASE("room in a scratch goes with the last of its parts, on any thread") {
  const TemporaryDirectory directory;
  const Scratch scratch(directory.path());
  const std::byte* gone = nullptr;
  {
    const auto large = scratch.allocate(std::size_t{32} << 20);
    gone = large.get();
    CHECK(scratch.holds(gone));
  }
  CHECK_FALSE(scratch.holds(gone));
  search::set_threads(4);
  search::parallel_for(64, [&](std::size_t i) {
    std::vector<std::shared_ptr<std::byte>> own;
    for (std::size_t j = 0; j < 20; ++j) {
      own.push_back(scratch.allocate((i + 1) * (j + 1) * 1000));
      *own.back() = std::byte{1};
    }
  });
  search::set_threads(1);
}

TEST_CASE("a scratch that cannot be used is refused, and a full disk is named") {
  const TemporaryDirectory directory;
  CHECK_THAT(error_message<InputError>([&] { Scratch(directory.path() / "missing"); }),
             contains("no scratch file can be made") && contains("missing"));
  const Scratch scratch(directory.path());
  const FileSizeLimit limit(std::size_t{1} << 20);
  CHECK_THAT(error_message<WorkError>([&] { scratch.allocate(std::size_t{64} << 20); }),
             contains("scratch does not fit on the disk") && contains(directory.path().string()));
}
