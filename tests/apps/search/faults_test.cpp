// What can go wrong around a run: a second one in its directory, a signal, an input that shrinks,
// an output that cannot be written.

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "apps/terminal/lost_input.hpp"
#include "models/files/file_descriptor.hpp"
#include "tests/apps/default_scene.hpp"
#include "tests/apps/program.hpp"
#include "tests/apps/started_program.hpp"
#include "tests/support/catch.hpp"

using namespace regroup;
using namespace regroup::tests;

namespace {

namespace fs = std::filesystem;

/// A search that was stopped as soon as it had begun, and goes on when it is told to.
class StoppedSearch {
 public:
  StoppedSearch(const SearchScene& scene, const std::string& out)
      : arguments_(scene.search(out)), program_(arguments_) {
    const fs::path begun = scene.path(out + "/state/identity.json");
    while (!fs::exists(begun)) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    program_.send(SIGSTOP);
  }

  std::vector<std::string> with(const std::string& option) const {
    std::vector<std::string> all = arguments_;
    all.push_back(option);
    return all;
  }
  StartedProgram& program() { return program_; }

 private:
  std::vector<std::string> arguments_;
  StartedProgram program_;
};

}  // namespace

TEST_CASE("a second run in a directory is refused while the first works, and not afterwards") {
  const SearchScene scene;
  StoppedSearch first(scene, "run");
  for (const char* option : {"--resume", "--force"}) {
    const auto second = run_regroup(first.with(option));
    CHECK(second.exit_status == 2);
    CHECK_THAT(second.error, contains("another process is at work in this directory"));
  }
  first.program().send(SIGKILL);
  first.program().end();
  CHECK(run_regroup(scene.search("run", {"--force"})).exit_status == 0);
}

TEST_CASE("SIGTERM ends a search with one message, and leaves what a resumed one needs") {
  const SearchScene scene;
  StoppedSearch search(scene, "run");
  search.program().send(SIGTERM);
  search.program().send(SIGCONT);
  const ProgramEnd end = search.program().end();
  CHECK_FALSE(end.was_ended);
  CHECK(end.code == 130);
  CHECK(fs::exists(scene.path("run/state/identity.json")));
  CHECK_FALSE(fs::exists(scene.path("run/run.json")));
}

TEST_CASE("an input that shrinks while it is read ends the process with a message") {
  const TemporaryDirectory scratch;
  const fs::path file = scratch.path() / "weights";
  std::ofstream(file) << std::string(1 << 20, 'x');
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t process = fork();
  REQUIRE(process >= 0);
  if (process == 0) {
    dup2(ends[1], STDERR_FILENO);
    apps::end_on_lost_input();
    const models::OpenedFile opened = models::open_regular_file(file);
    const auto* bytes = static_cast<const volatile char*>(
        mmap(nullptr, opened.size, PROT_READ, MAP_SHARED, opened.descriptor.get(), 0));
    if (truncate(file.c_str(), 0) != 0) _exit(9);
    _exit(bytes[opened.size / 2] == 'x' ? 8 : 7);
  }
  close(ends[1]);
  int status = 0;
  REQUIRE(waitpid(process, &status, 0) == process);
  REQUIRE(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 1);
  std::string said(200, '\0');
  said.resize(
      static_cast<std::size_t>(std::max<ssize_t>(0, read(ends[0], said.data(), said.size()))));
  CHECK_THAT(said, contains("has become shorter"));
}

TEST_CASE("an output where nothing can be written is refused before anything is computed") {
  const SearchScene scene;
  for (const std::string out : {"/proc/run", "/dev/null/run"}) {
    std::vector<std::string> arguments = scene.search("run");
    arguments[3] = out;
    const auto refused = run_regroup(arguments);
    CHECK(refused.exit_status == 2);
    CHECK_THAT(refused.error, contains("output directory"));
  }
}
