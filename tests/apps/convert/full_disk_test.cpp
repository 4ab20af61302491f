// What the program leaves where the disk is full: nothing that the same command then refuses.

#include <filesystem>
#include <string>
#include <vector>

#include "tests/apps/program.hpp"
#include "tests/apps/promised_bytes.hpp"
#include "tests/apps/search_scene.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/file_size_limit.hpp"

using namespace regroup;
using namespace regroup::tests;
namespace fs = std::filesystem;

namespace {

using Arguments = std::vector<std::string>;

/// The model's weights alone have more bytes than any other of its files.
constexpr rlim_t kLessThanWeights = 4000;

std::string groupings_of_pairs() {
  const std::string layer = R"("key_groups": [[0, 3], [1, 2]]})";
  return R"({"format": "regroup.grouping", "version": 1, "layers": [{"index": 0, )" + layer +
         R"(, {"index": 1, )" + layer + "]}";
}

apps::ProcessResult run_with_room_for(rlim_t bytes, const Arguments& arguments) {
  const FileSizeLimit limit(bytes);
  return run_regroup(arguments);
}

void check_failure(const apps::ProcessResult& failed, const std::string& file) {
  CHECK(failed.exit_status == 1);
  CHECK_THAT(failed.error, contains("file cannot be written"));
  CHECK_THAT(failed.error, contains(file));
  CHECK_THAT(failed.error, contains("File too large"));
}

}  // namespace

TEST_CASE("a conversion onto a full disk leaves nothing, and succeeds when there is room") {
  const TemporaryDirectory scratch;
  const auto path = [&](const char* name) { return (scratch.path() / name).string(); };
  TinyLlama().write(scratch.path() / "tiny");
  scratch.write("tiny/1_Pooling/config.json", "{}");
  scratch.write("tiny/tokenizer_config.json", "{}");
  scratch.write("pairs.json", groupings_of_pairs());
  const auto convert = [&](const char* out, Arguments more = {}) {
    more.insert(more.begin(),
                {"convert", path("tiny"), "--grouping", path("pairs.json"), "-o", path(out), "-q"});
    return more;
  };
  check_failure(run_with_room_for(kLessThanWeights, convert("out")), "model.safetensors");
  CHECK_FALSE(fs::exists(path("out")));
  fs::create_directory(path("empty"));
  check_failure(run_with_room_for(kLessThanWeights, convert("empty")), "model.safetensors");
  CHECK(fs::is_empty(path("empty")));
  CHECK(run_regroup(convert("empty")).exit_status == 0);
  CHECK(fs::exists(path("empty/1_Pooling/config.json")));
  // Files that stood there before are the user's.
  scratch.write("mine/notes.txt", "mine");
  check_failure(run_with_room_for(kLessThanWeights, convert("mine", {"--force"})),
                "model.safetensors");
  CHECK(read_file(scratch.path() / "mine/notes.txt") == "mine");
  CHECK_FALSE(fs::exists(path("mine/config.json")));
  CHECK(run_regroup(convert("mine", {"--force"})).exit_status == 0);
  check_failure(run_with_room_for(kLessThanWeights,
                                  convert("a.gguf", {"--format", "gguf", "--no-tokenizer"})),
                "a.gguf");
  CHECK(scratch.entries() == Arguments{"empty", "mine", "pairs.json", "tiny"});
}

TEST_CASE(
    "a search that met a full disk goes on with --resume, or begins anew if it had not begun") {
  const SearchScene scene;
  const Arguments search = scene.search("run", {"--kv", "0.5,0.75", "--measure", "2"});
  Arguments resumed = search;
  resumed.emplace_back("--resume");
  // Not even the first file has room.
  check_failure(run_with_room_for(100, search), "identity.json");
  CHECK_FALSE(fs::exists(scene.path("run")));
  // The report, with its charts, is the largest.
  check_failure(run_with_room_for(60'000, search), "report.html");
  CHECK_FALSE(fs::exists(scene.path("run/run.json")));
  CHECK_FALSE(fs::exists(scene.path("run/report.html")));
  REQUIRE(run_regroup(resumed).exit_status == 0);
  REQUIRE(run_regroup(scene.search("whole", {"--kv", "0.5,0.75", "--measure", "2"})).exit_status ==
          0);
  CHECK(promised_bytes(scene.path("run")) == promised_bytes(scene.path("whole")));
}

TEST_CASE("a single file that the disk has no room for is not there, not even in part") {
  const TemporaryDirectory scratch;
  const auto path = [&](const char* name) { return (scratch.path() / name).string(); };
  TinyLlama().write(scratch.path() / "tiny");
  const std::string ids = scratch.write("ids.bin", std::string(800, '\0')).string();
  const Arguments before = scratch.entries();
  const Arguments calibrate = {"calibrate", path("tiny"),          "--data", ids,
                               "-o",        path("c.safetensors"), "-q"};
  check_failure(run_with_room_for(1000, calibrate), "c.safetensors");
  const Arguments eval = {"eval", path("tiny"), "--data", ids, "-o", path("result.json"), "-q"};
  check_failure(run_with_room_for(10, eval), "result.json");
  CHECK(scratch.entries() == before);
  CHECK(run_regroup(calibrate).exit_status == 0);
  CHECK(run_regroup(eval).exit_status == 0);
}
