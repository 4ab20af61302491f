// The progress of a search on disk: records by name, whole or not at all.

#include "runs/directory/state_file.hpp"

#include <fstream>

#include "tests/support/catch.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace regroup;
using namespace regroup::runs;
using namespace regroup::tests;
namespace fs = std::filesystem;

namespace {

RunDirectory open(const TemporaryDirectory& scratch, RunDirectory::Existing existing) {
  RunDirectory directory(scratch.path() / "run", existing, {{"seed", 1}});
  directory.begin();
  return directory;
}

}  // namespace

TEST_CASE("records of several owners are kept side by side for the run that goes on") {
  const TemporaryDirectory scratch;
  const std::string bytes("\0\xff\n", 3);
  {
    const RunDirectory directory = open(scratch, RunDirectory::Existing::kRefuse);
    StateFile state(directory);
    CHECK_FALSE(state.load("one"));
    state.save("one", "first");
    state.save("two", bytes);
    state.save("one", "second");
    CHECK(state.load("one") == "second");
    CHECK(state_files(directory.state_folder()).size() == 1);
  }
  const RunDirectory again = open(scratch, RunDirectory::Existing::kResume);
  StateFile state(again);
  CHECK(state.load("one") == "second");
  CHECK(state.load("two") == bytes);
  CHECK_FALSE(state.load("three"));
  state.save("three", "");
  CHECK(StateFile(again).load("two") == bytes);
  CHECK(StateFile(again).load("three") == "");
  CHECK(state_files(again.state_folder()).size() == 1);
}

TEST_CASE("of a state that is not whole nothing is taken, the one before it if it is there") {
  const TemporaryDirectory scratch;
  const fs::path folder = scratch.path() / "run" / "state";
  {
    const RunDirectory directory = open(scratch, RunDirectory::Existing::kRefuse);
    StateFile(directory).save("one", "kept");
  }
  const fs::path whole = state_files(folder).at(0);
  const std::string bytes = read_file(whole);
  std::string changed = bytes;
  changed.back() ^= 1;
  for (const std::string& broken : {bytes.substr(0, bytes.size() - 1), changed, std::string()}) {
    std::ofstream(folder / "search-9.cbor", std::ios::binary) << broken;
    const RunDirectory again = open(scratch, RunDirectory::Existing::kResume);
    CHECK(StateFile(again).load("one") == "kept");
  }
  fs::remove(whole);
  const RunDirectory again = open(scratch, RunDirectory::Existing::kResume);
  CHECK_FALSE(StateFile(again).load("one"));
}

TEST_CASE("a run that starts anew does not see what an earlier one left") {
  const TemporaryDirectory scratch;
  const RunDirectory directory = open(scratch, RunDirectory::Existing::kRefuse);
  StateFile(directory).save("one", "kept");
  const RunDirectory replaced(scratch.path() / "run", RunDirectory::Existing::kReplace,
                              {{"seed", 1}});
  CHECK_FALSE(StateFile(replaced).load("one"));
}
