// Commands with a scratch: the same bytes, and a clear end where it has no room.

#include <filesystem>

#include "tests/apps/default_scene.hpp"
#include "tests/apps/program.hpp"
#include "tests/apps/promised_bytes.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/file_size_limit.hpp"

using namespace regroup;
using namespace regroup::tests;

namespace {

namespace fs = std::filesystem;

struct ScratchScene : DefaultScene {
  ScratchScene() { fs::create_directory(path("scratch")); }

  std::vector<std::string> search(const std::string& out, std::vector<std::string> more) const {
    const std::vector<std::string> size = {"--kv", "0.5", "--measure", "2"};
    more.insert(more.end(), size.begin(), size.end());
    return plain(out, more);
  }
  std::vector<std::string> with_scratch(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--scratch", path("scratch")});
    return arguments;
  }
};

}  // namespace

TEST_CASE("a search, a conversion and an evaluation with a scratch give the same bytes") {
  const ScratchScene scene;
  REQUIRE(run_regroup(scene.with_scratch(scene.search("sparing", {}))).exit_status == 0);
  REQUIRE(run_regroup(scene.search("plain", {})).exit_status == 0);
  CHECK(promised_bytes(scene.path("sparing")) == promised_bytes(scene.path("plain")));
  const auto convert = [&](const std::string& out) {
    return std::vector<std::string>{"convert",
                                    scene.path("tiny"),
                                    "--grouping",
                                    scene.path("plain/groupings/"
                                               "search-exact-kv0.5000.json"),
                                    "--calibration",
                                    scene.path("calibration.bin"),
                                    "-o",
                                    scene.path(out)};
  };
  REQUIRE(run_regroup(convert("a")).exit_status == 0);
  const auto said = run_regroup(scene.with_scratch(convert("b")));
  REQUIRE(said.exit_status == 0);
  CHECK_THAT(said.error, contains("of scratch in " + scene.path("scratch")));
  CHECK(read_file(scene.path("a/model.safetensors")) ==
        read_file(scene.path("b/model.safetensors")));
  const std::vector<std::string> eval = {"eval", scene.path("tiny"), "--data",
                                         scene.path("eval.bin")};
  CHECK(run_regroup(eval).output == run_regroup(scene.with_scratch(eval)).output);
  CHECK(fs::is_empty(scene.path("scratch")));
}

TEST_CASE("a scratch that is not there is refused before anything is computed") {
  const ScratchScene scene;
  auto search = scene.search("run", {});
  search.insert(search.end(), {"--scratch", scene.path("missing")});
  const auto refused = run_regroup(search);
  CHECK(refused.exit_status == 2);
  CHECK_THAT(refused.error, contains("no scratch file can be made") && contains("missing"));
  CHECK_FALSE(fs::exists(scene.path("run")));
}

TEST_CASE("a search whose scratch is full says so, and goes on where there is room") {
  const ScratchScene scene;
  auto search = scene.search("run", {});
  const auto failed = [&] {
    const FileSizeLimit limit(std::size_t{1} << 20);
    return run_regroup(scene.with_scratch(search));
  }();
  CHECK(failed.exit_status == 1);
  CHECK_THAT(failed.error,
             contains("scratch does not fit on the disk") && contains(scene.path("scratch")));
  search.emplace_back("--resume");
  REQUIRE(run_regroup(search).exit_status == 0);
  REQUIRE(run_regroup(scene.search("whole", {})).exit_status == 0);
  CHECK(promised_bytes(scene.path("run")) == promised_bytes(scene.path("whole")));
}
