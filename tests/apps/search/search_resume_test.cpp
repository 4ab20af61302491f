// Searches that are broken off, resumed, refused or replaced, with the built program.

#include <csignal>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "runs/directory/state_file.hpp"
#include "search/base/random.hpp"
#include "tests/apps/program.hpp"
#include "tests/apps/promised_bytes.hpp"
#include "tests/apps/search_scene.hpp"
#include "tests/apps/started_program.hpp"
#include "tests/support/catch.hpp"

using namespace regroup;
using namespace regroup::tests;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

/// The folders of a run, made before it begins so that what happens in them can be counted from
/// the first file on.
std::vector<std::string> make_folders(const std::string& run) {
  std::vector<std::string> folders;
  for (const char* folder : {"", "state", "state/measured", "groupings"}) {
    folders.push_back((fs::path(run) / folder).string());
    fs::create_directories(folders.back());
  }
  return folders;
}

/// Runs the program until so many files were made, written, renamed or removed in the folders, and
/// ends it there, in the middle of whatever it does. False if it comes to its own end before.
bool run_and_kill(const std::vector<std::string>& arguments,
                  const std::vector<std::string>& folders, std::size_t events) {
  FileEvents files(folders);
  StartedProgram program(arguments);
  if (files.happen(events, program)) program.send(SIGKILL);
  return program.end().was_ended;
}

}  // namespace

TEST_CASE("killed at fifty random moments, a run is resumed to the bytes of an unbroken one") {
  const SearchScene scene(TinyLlama{.layers = 3, .query_heads = 12, .kv_heads = 12});
  const auto search = [&](const std::string& name) {
    return scene.budgeted(name, 40, 100, {"--measure", "1", "--resume"});
  };
  FileEvents unbroken(make_folders(scene.path("whole")));
  REQUIRE(run_regroup(search("whole")).exit_status == 0);
  const std::size_t events = unbroken.all_so_far();
  REQUIRE(events > 500);
  const auto whole = promised_bytes(scene.path("whole"));
  search::RandomStream random{search::RandomKey(77)};
  int unfinished = 0;
  int with_state = 0;
  for (int kills = 0; kills < 50;) {
    const std::string name = "killed" + std::to_string(kills);
    const std::vector<std::string> folders = make_folders(scene.path(name));
    for (bool finished = false; !finished; ++kills) {
      const bool was_killed = run_and_kill(search(name), folders, 1 + random.below(events));
      finished = fs::exists(scene.path(name + "/run.json"));
      if (!finished) CHECK(was_killed);
      unfinished += finished ? 0 : 1;
      with_state += runs::state_files(scene.path(name + "/state")).empty() ? 0 : 1;
    }
    REQUIRE(run_regroup(search(name)).exit_status == 0);
    CHECK(promised_bytes(scene.path(name)) == whole);
  }
  // Else nothing was tested.
  CHECK(unfinished > 20);
  CHECK(with_state > 20);
}

TEST_CASE("a broken state of the search does not matter, one of another run is refused") {
  const SearchScene scene(TinyLlama{.kv_heads = 4});
  REQUIRE(run_regroup(scene.search("run")).exit_status == 0);
  const auto whole = promised_bytes(scene.path("run"));
  const fs::path state = runs::state_files(scene.path("run/state")).at(0);
  const std::string bytes = read_file(state);
  std::string changed = bytes;
  changed[bytes.size() / 2] ^= 1;
  for (const std::string& broken :
       {bytes.substr(0, bytes.size() / 2), changed, std::string("no")}) {
    fs::remove(scene.path("run/run.json"));
    for (const fs::path& file : runs::state_files(scene.path("run/state"))) fs::remove(file);
    std::ofstream(state, std::ios::binary) << broken;
    REQUIRE(run_regroup(scene.search("run", {"--resume"})).exit_status == 0);
    CHECK(promised_bytes(scene.path("run")) == whole);
  }
  fs::remove(scene.path("run/run.json"));
  const auto refused = [&](const std::vector<std::string>& more) {
    std::vector<std::string> arguments = scene.search("run", more);
    arguments.emplace_back("--resume");
    const apps::ProcessResult result = run_regroup(arguments);
    CHECK(result.exit_status == 2);
    return result.error;
  };
  CHECK_THAT(refused({"--min-groups", "2"}), contains("min_groups"));
  CHECK_THAT(refused({"--layout", "standard"}), contains("layout"));
  CHECK_THAT(refused({"--patience", "3"}), contains("patience"));
  CHECK_THAT(refused({"--seed-grouping", scene.path("run/groupings/baseline-mqa-kv0.2500.json")}),
             contains("seed_groupings"));
  json identity = json::parse(read_file(scene.path("run/state/identity.json")));
  identity["regroup"]["regroup"] = "0.0.9";
  std::ofstream(scene.path("run/state/identity.json")) << identity.dump();
  CHECK_THAT(refused({}), contains("0.0.9"));
  fs::rename(scene.path("tiny"), scene.path("was"));
  TinyLlama{.kv_heads = 4, .seed = 99}.write(scene.path("tiny"));
  CHECK_THAT(refused({}), contains("weights"));
}

TEST_CASE("a finished run is left as it is, another one refused with the difference") {
  const SearchScene scene;
  REQUIRE(run_regroup(scene.search("run")).exit_status == 0);
  const std::string record = read_file(scene.path("run/run.json"));
  CHECK(run_regroup(scene.search("run", {"--resume", "-j", "1"})).exit_status == 0);
  CHECK(read_file(scene.path("run/run.json")) == record);
  const apps::ProcessResult other = run_regroup(scene.search("run", {"--resume", "--seed", "9"}));
  CHECK(other.exit_status == 2);
  CHECK_THAT(other.error, contains("seed"));
}

TEST_CASE("a resumed run refuses another config.json and does without broken state files") {
  const SearchScene scene;
  REQUIRE(run_regroup(scene.search("run")).exit_status == 0);
  const auto whole = promised_bytes(scene.path("run"));
  for (const char* broken : {"[]", "[1000.0, 1000.0]", "{", "null", "{\"loss\": [1000.0]}"}) {
    fs::remove(scene.path("run/run.json"));
    std::ofstream(scene.path("run/state/measured/source.json")) << broken;
    REQUIRE(run_regroup(scene.search("run", {"--resume"})).exit_status == 0);
    CHECK(promised_bytes(scene.path("run")) == whole);
  }
  json config = json::parse(read_file(scene.path("tiny/config.json")));
  config["rms_norm_eps"] = 0.5;
  std::ofstream(scene.path("tiny/config.json")) << config.dump();
  const apps::ProcessResult other = run_regroup(scene.search("run", {"--resume"}));
  CHECK(other.exit_status == 2);
  CHECK_THAT(other.error, contains("config.json"));
}

TEST_CASE("a finished run says again what it found") {
  const SearchScene scene;
  const auto first = json::parse(run_regroup(scene.search("run", {"--json"})).output);
  const auto again = json::parse(run_regroup(scene.search("run", {"--json", "--resume"})).output);
  CHECK(first["best"].size() == 3);
  CHECK(again == first);
}

TEST_CASE("force replaces the files of a run and no others") {
  const SearchScene scene;
  REQUIRE(run_regroup(scene.search("run", {"--kv", "0.5"})).exit_status == 0);
  const fs::path mine = scene.path("run/groupings/mine.json");
  fs::copy(scene.path("run/front.json"), mine);
  std::ofstream(scene.path("run/state/notes.txt")) << "mine";
  // As after a kill while groupings were written: the list is there, the front is not.
  fs::remove(scene.path("run/front.json"));
  REQUIRE(run_regroup(scene.search("run", {"--force", "--kv", "0.3"})).exit_status == 0);
  CHECK(read_file(scene.path("run/state/notes.txt")) == "mine");
  std::set<std::string> listed = {"mine.json"};
  const json front = scene.front("run");
  for (const json& point : front["points"]) {
    listed.insert(fs::path(point["grouping"].get<std::string>()).filename());
  }
  std::set<std::string> present;
  for (const auto& entry : fs::directory_iterator(scene.path("run/groupings"))) {
    present.insert(entry.path().filename());
  }
  CHECK(present == listed);
}

TEST_CASE("Ctrl-C ends a search by its own hand and leaves its state") {
  // Too large to exhaust: it would go on for hours.
  const SearchScene scene(TinyLlama{.query_heads = 12, .kv_heads = 12});
  const auto search = [&](int generations) {
    return scene.budgeted("run", 100, generations, {"--measure", "0", "--resume"});
  };
  const std::vector<std::string> folders = make_folders(scene.path("run"));
  for (const int signal : {SIGINT, SIGTERM}) {
    FileEvents files(folders);
    StartedProgram program(search(1'000'000));
    REQUIRE(files.happen(60, program));
    program.send(signal);
    const ProgramEnd end = program.end();
    CHECK_FALSE(end.was_ended);  // by the signal, as without a handler
    CHECK(end.code == 130);
    CHECK(end.error == "regroup: interrupted\n");
    CHECK_FALSE(fs::exists(scene.path("run/run.json")));
    CHECK_FALSE(runs::state_files(scene.path("run/state")).empty());
  }
}
