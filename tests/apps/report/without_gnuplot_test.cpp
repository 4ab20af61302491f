#include <stdlib.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/apps/program.hpp"
#include "tests/apps/search_scene.hpp"
#include "tests/fixtures/sample_run.hpp"
#include "tests/support/catch.hpp"

using namespace regroup;
using namespace regroup::tests;

namespace fs = std::filesystem;

namespace {

/// No program is found for as long as it lives.
class EmptyPath {
 public:
  EmptyPath() { ::setenv("PATH", "", 1); }
  EmptyPath(const EmptyPath&) = delete;
  EmptyPath& operator=(const EmptyPath&) = delete;
  ~EmptyPath() { ::setenv("PATH", old_.c_str(), 1); }

 private:
  std::string old_ = ::getenv("PATH");
};

std::vector<std::string> talkative(std::vector<std::string> arguments) {
  std::erase(arguments, "-q");
  return arguments;
}

}  // namespace

TEST_CASE("without gnuplot a search leaves out the chart and says so once") {
  const SearchScene scene;
  const EmptyPath path;
  const auto result = run_regroup(talkative(scene.search("run", {"--measure", "0"})));
  CHECK(result.exit_status == 0);
  CHECK(result.error.find("gnuplot is not installed: the chart (.svg) is left out") ==
        result.error.rfind("gnuplot"));
  CHECK(fs::exists(scene.path("run/run.json")));
  CHECK(fs::exists(scene.path("run/report.html")));
  CHECK_FALSE(fs::exists(scene.path("run/report.svg")));
}

TEST_CASE("without gnuplot a report is a page alone, and an older chart of it goes") {
  const SearchScene scene;
  REQUIRE(run_regroup(scene.search("run", {"--measure", "0"})).exit_status == 0);
  write_text(scene.path("page.svg"), "older");
  const EmptyPath path;
  const auto result = run_regroup({"report", scene.path("run"), "-o", scene.path("page.html")});
  CHECK(result.exit_status == 0);
  CHECK_THAT(result.error, contains("gnuplot is not installed"));
  CHECK(fs::exists(scene.path("page.html")));
  CHECK_FALSE(fs::exists(scene.path("page.svg")));
}
