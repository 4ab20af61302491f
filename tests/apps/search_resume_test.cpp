// Searches that are broken off, resumed, refused or replaced, with the built program.

#include <csignal>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runs/directory/state_file.hpp"
#include "search/base/random.hpp"
#include "tests/apps/program.hpp"
#include "tests/apps/promised_bytes.hpp"
#include "tests/apps/search_scene.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/paths.hpp"

using namespace regroup;
using namespace regroup::tests;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

/// Processor time of all children that have ended, in microseconds.
std::int64_t processor_time_of_children() {
  rusage usage{};
  getrusage(RUSAGE_CHILDREN, &usage);
  const auto microseconds = [](const timeval& t) { return t.tv_sec * 1'000'000 + t.tv_usec; };
  return microseconds(usage.ru_utime) + microseconds(usage.ru_stime);
}

/// Runs the program and lets the system end it, in the middle of whatever it does, when it has used
/// so much processor time: unlike the clock's, other work on the machine does not change it much.
void run_and_kill(std::vector<std::string> arguments, std::int64_t microseconds) {
  arguments.insert(arguments.begin(), program_path());
  std::vector<char*> raw;
  for (std::string& argument : arguments) raw.push_back(argument.data());
  raw.push_back(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    dup2(open("/dev/null", O_WRONLY), STDOUT_FILENO);
    // The timer outlives execv, and the program does not handle its signal.
    const itimerval once{{}, {microseconds / 1'000'000, microseconds % 1'000'000}};
    setitimer(ITIMER_PROF, &once, nullptr);
    execv(raw[0], raw.data());
    _exit(127);
  }
  int status = 0;
  waitpid(child, &status, 0);
}

}  // namespace

TEST_CASE("killed at fifty random moments, a run is resumed to the bytes of an unbroken one") {
  const SearchScene scene(TinyLlama{.layers = 3, .query_heads = 12, .kv_heads = 12});
  const auto search = [&](const std::string& name) {
    return scene.budgeted(name, 40, 100, {"--measure", "1", "--resume"});
  };
  const std::int64_t begin = processor_time_of_children();
  REQUIRE(run_regroup(search("whole")).exit_status == 0);
  std::int64_t duration = processor_time_of_children() - begin;
  const auto whole = promised_bytes(scene.path("whole"));
  search::RandomStream random{search::RandomKey(77)};
  int unfinished = 0;
  int with_state = 0;
  for (int kills = 0; kills < 50;) {
    const std::string name = "killed" + std::to_string(kills);
    bool finished = false;
    for (int again = 0; again < 10 && !finished; ++again, ++kills) {
      const std::int64_t moment = 1 + random.below(static_cast<int>(duration));
      run_and_kill(search(name), moment);
      finished = fs::exists(scene.path(name + "/run.json"));
      // The first run of all takes longer than others where the program is not in memory yet.
      if (finished && again == 0) duration = moment;
      unfinished += finished ? 0 : 1;
      with_state += runs::state_files(scene.path(name + "/state")).empty() ? 0 : 1;
    }
    REQUIRE(run_regroup(search(name)).exit_status == 0);
    CHECK(promised_bytes(scene.path(name)) == whole);
  }
  CHECK(unfinished > 10);  // else nothing was tested
  CHECK(with_state > 10);
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

TEST_CASE("Ctrl-C ends a search within a second with exit code 130") {
  const SearchScene scene(TinyLlama{.query_heads = 12, .kv_heads = 12});  // too large to exhaust
  std::vector<std::string> arguments = scene.budgeted("run", 100, 1000000);
  arguments.insert(arguments.begin(), {"--preserve-status", "-s", "INT", "-k", "1", "1"});
  arguments.insert(arguments.begin() + 6, program_path());
  arguments.insert(arguments.begin(), "timeout");
  const apps::ProcessResult result = apps::run_program(arguments, "");
  CHECK(result.exit_status == 130);
  CHECK_FALSE(fs::exists(scene.path("run/run.json")));
}
