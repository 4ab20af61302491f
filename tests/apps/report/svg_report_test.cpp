#include "apps/report/svg_report.hpp"

#include <signal.h>
#include <stdlib.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "apps/report/child_process.hpp"
#include "search/base/error.hpp"
#include "tests/fixtures/sample_run.hpp"
#include "tests/support/catch.hpp"

namespace regroup::apps {

using namespace runs;
namespace {

using tests::contains;
using tests::TemporaryDirectory;
using tests::write_sample_run;

using Words = std::vector<std::string>;

/// Sets an environment variable for its lifetime.
class Environment {
 public:
  Environment(const char* name, const std::string& value) : name_(name) {
    const char* old = ::getenv(name);
    if (old != nullptr) old_ = old;
    ::setenv(name, value.c_str(), 1);
  }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
  ~Environment() { ::setenv(name_, old_.c_str(), 1); }

 private:
  const char* name_;
  std::string old_;
};

bool has_gnuplot() {
  try {
    run_program(Words{"gnuplot", "--version"}, "");
    return true;
  } catch (const WorkError&) {
    WARN("gnuplot is not installed; its drawing is not tested");
    return false;
  }
}

TEST_CASE("a child process gets its input and gives back output, messages and status") {
  const ProcessResult cat = run_program(Words{"cat"}, "text\n");
  CHECK(cat.exit_status == 0);
  CHECK(cat.output == "text\n");
  CHECK(cat.error.empty());
  const ProcessResult failed = run_program(Words{"sh", "-c", "echo no >&2; exit 3"}, "");
  CHECK(failed.exit_status == 3);
  CHECK(failed.error == "no\n");
  const ProcessResult killed = run_program(Words{"sh", "-c", "kill -TERM $$"}, "");
  CHECK(killed.exit_status == 128 + SIGTERM);
}

TEST_CASE("large streams in both directions do not block") {
  const std::string text(4'000'000, 'x');
  const ProcessResult result =
      run_program(Words{"sh", "-c", "cat; head -c 4000000 /dev/zero >&2"}, text);
  CHECK(result.output.size() == text.size());
  CHECK(result.error.size() == text.size());
}

TEST_CASE("a child that does not read its input raises no signal here") {
  const ProcessResult result = run_program(Words{"true"}, std::string(1'000'000, 'x'));
  CHECK(result.exit_status == 0);
}

TEST_CASE("a child starts with the default signal mask and in the C.UTF-8 locale") {
  sigset_t blocked, before;
  sigemptyset(&blocked);
  sigaddset(&blocked, SIGTERM);
  REQUIRE(::pthread_sigmask(SIG_BLOCK, &blocked, &before) == 0);
  const ProcessResult result =
      run_program(Words{"sh", "-c", "echo $LC_ALL; kill -TERM $$; echo still here"}, "");
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  CHECK(result.exit_status == 128 + SIGTERM);
  CHECK(result.output == "C.UTF-8\n");
}

TEST_CASE("a missing program is named") {
  CHECK_THROWS_AS(run_program(Words{"regroup-no-such-program"}, ""), WorkError);
  const TemporaryDirectory directory;
  write_sample_run(directory.path());
  const RunData run = load_run(directory.path());
  const Environment path("PATH", directory.path().string());
  try {
    svg_report({&run, 1});
    FAIL("gnuplot was found");
  } catch (const WorkError& error) {
    CHECK_THAT(error.what(), contains("gnuplot"));
    CHECK_THAT(error.what(), contains("not installed"));
  }
}

TEST_CASE("a gnuplot that fails is reported with its message") {
  const TemporaryDirectory directory;
  write_sample_run(directory.path());
  const RunData run = load_run(directory.path());
  tests::write_text(directory.path() / "gnuplot", "#!/bin/sh\necho broken >&2\nexit 1\n");
  std::filesystem::permissions(directory.path() / "gnuplot", std::filesystem::perms::owner_all);
  const Environment path("PATH", directory.path().string());
  try {
    svg_report({&run, 1});
    FAIL("not reported");
  } catch (const WorkError& error) {
    CHECK_THAT(error.what(), contains("exit status 1: broken"));
  }
}

TEST_CASE("the script holds every series") {
  const TemporaryDirectory directory;
  write_sample_run(directory.path() / "books");
  write_sample_run(directory.path() / "exact", {.method = "exact"});
  const std::vector<RunData> runs{load_run(directory.path() / "books"),
                                  load_run(directory.path() / "exact")};
  const std::string one = svg_script({runs.data(), 1});
  CHECK_THAT(one, contains("title 'search (qcqa-ac)'"));
  CHECK_THAT(one, contains("title 'neighbour'"));
  CHECK_THAT(one, contains("title 'source model'"));
  CHECK_THAT(one, contains("loss added to the source model"));
  const std::string two = svg_script(runs);
  CHECK_THAT(two, contains("title 'books · search (qcqa-ac)'"));
  CHECK_THAT(two, contains("title 'exact · search (exact)'"));
  // The baselines of both runs are the same points: drawn once.
  CHECK(two.find("exact · neighbour") == std::string::npos);
  CHECK_THAT(two, contains("title 'neighbour'"));
  CHECK_THROWS_AS(svg_script({}), InputError);
}

TEST_CASE("without a measured loss the script draws the proxy and says so") {
  const TemporaryDirectory directory;
  write_sample_run(directory.path(), {.measured = false});
  const RunData run = load_run(directory.path());
  const std::string script = svg_script({&run, 1});
  CHECK_THAT(script, contains("weight-sharing error (WSE), not measured"));
  CHECK(script.find("source model'\n") == std::string::npos);
}

TEST_CASE("the picture is the same every time and holds no path") {
  if (!has_gnuplot()) return;
  const TemporaryDirectory directory;
  write_sample_run(directory.path());
  const RunData run = load_run(directory.path());
  const std::string picture = svg_report({&run, 1});
  CHECK(picture == svg_report({&run, 1}));
  const Environment locale("LC_ALL", "de_DE.UTF-8");
  CHECK(picture == svg_report({&run, 1}));
  CHECK_THAT(picture, contains("</svg>"));
  CHECK_THAT(picture, contains("#ffffff"));
  CHECK_THAT(picture, contains("search (qcqa-ac)"));
  CHECK(picture.find(directory.path().string()) == std::string::npos);
}

TEST_CASE("hostile names run nothing in gnuplot") {
  if (!has_gnuplot()) return;
  const TemporaryDirectory directory;
  const auto trace = directory.path() / "trace";
  const std::string command = "touch " + trace.string();
  write_sample_run(directory.path(),
                   {.method = "'.system('" + command + "').'`" + command + "`\n!" + command});
  const RunData run = load_run(directory.path());
  const std::string picture = svg_report({&run, 1});
  CHECK_FALSE(std::filesystem::exists(trace));
  CHECK_THAT(picture, contains(".system("));
}

}  // namespace
}  // namespace regroup::apps
