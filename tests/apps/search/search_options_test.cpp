// From the words of a command line to what a method receives: each option of a search by what it
// changes in the files of the run. What the methods make of their options, their own tests say.

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "tests/apps/program.hpp"
#include "tests/apps/promised_bytes.hpp"
#include "tests/apps/search_scene.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/csv_rows.hpp"

using namespace regroup;
using namespace regroup::tests;
using nlohmann::json;

namespace {

/// Numbers of groups of every layer.
using Counts = std::vector<std::size_t>;

/// Searches of one model that measure nothing.
class Scene : public SearchScene {
 public:
  using SearchScene::SearchScene;

  void run(const std::string& out, const std::vector<std::string>& more) const {
    std::vector<std::string> all = {"search", path("tiny"), "-o", path(out), "-q"};
    all.insert(all.end(), more.begin(), more.end());
    const auto result = run_regroup(with_paper_recipe(
        with_defaults(all, {{"--population", "10"}, {"--generations", "5"}, {"--measure", "0"}})));
    INFO(result.error);
    REQUIRE(result.exit_status == 0);
  }
  json record(const std::string& out) const {
    return json::parse(read_file(path(out + "/run.json")));
  }
  std::vector<CsvRow> history(const std::string& out) const {
    return read_csv(path(out + "/history.csv"));
  }
  std::vector<CsvRow> proof(const std::string& out) const {
    return read_csv(path(out + "/proof.csv"));
  }
  /// Of every grouping that the search found.
  std::vector<Counts> counts(const std::string& out) const {
    std::vector<Counts> all;
    const json front = this->front(out);
    for (const json& point : front["points"]) {
      if (point["series"] != "search") continue;
      const json file =
          json::parse(read_file(path(out + "/" + point["grouping"].get<std::string>())));
      all.emplace_back();
      for (const json& layer : file["layers"]) all.back().push_back(layer["key_groups"].size());
    }
    REQUIRE_FALSE(all.empty());
    return all;
  }
};

/// Heads enough that no search meets all partitions of a layer.
TinyLlama many_heads() {
  return {.query_heads = 12, .kv_heads = 12};
}

/// Heads enough that the exact method cannot price all groups of a layer.
TinyLlama unpriced_heads() {
  return {.query_heads = 18, .kv_heads = 18};
}

/// The rows of one stage, by their unit.
std::map<std::string, std::vector<CsvRow>> by_unit(const std::vector<CsvRow>& history,
                                                   const std::string& stage) {
  std::map<std::string, std::vector<CsvRow>> units;
  for (const CsvRow& row : history) {
    if (row.at("stage") == stage) units[row.at("unit")].push_back(row);
  }
  return units;
}

/// The generation that last changed the front. One that betters it changes its hypervolume.
std::size_t last_gain(const std::vector<CsvRow>& rows) {
  std::size_t last = 0;
  for (std::size_t i = 1; i < rows.size(); ++i) {
    if (rows[i].at("hypervolume") != rows[i - 1].at("hypervolume")) last = i;
  }
  return last;
}

int most_nodes(const std::vector<CsvRow>& proof) {
  double most = 0;
  for (const CsvRow& row : proof) most = std::max(most, number(row, "nodes"));
  return static_cast<int>(most);
}

double sum_of(const std::vector<CsvRow>& rows, const std::string& column) {
  double sum = 0;
  for (const CsvRow& row : rows) sum += number(row, column);
  return sum;
}

}  // namespace

TEST_CASE("options --population and --generations bound the rows of the history") {
  const Scene scene(many_heads());
  scene.run("run", {"--population", "14", "--generations", "3"});
  for (const char* stage : {"1", "2"}) {
    const auto units = by_unit(scene.history("run"), stage);
    CHECK(units.size() == (stage == std::string("1") ? 2 : 1));
    for (const auto& [unit, rows] : units) {
      CHECK(rows.size() == 4);
      CHECK(rows.front().at("evaluations") == "14");
      CHECK(number(rows.back(), "evaluations") <= 4 * 14);
    }
  }
}

TEST_CASE("option --evaluations ends each stage at that number, shared out over its layers") {
  const Scene scene(many_heads());
  scene.run("run", {"--generations", "1000", "--evaluations", "62"});
  const auto first = by_unit(scene.history("run"), "1");
  const auto second = by_unit(scene.history("run"), "2");
  REQUIRE(first.size() == 2);
  REQUIRE(second.size() == 1);
  double looked_at = 0;
  for (const auto& [unit, rows] : first) {
    CHECK(rows.back().at("evaluations") == "31");
    looked_at += number(rows.back(), "evaluations");
  }
  CHECK(second.begin()->second.back().at("evaluations") == "62");
  CHECK(scene.record("run")["evaluations"] == looked_at + 62);
}

TEST_CASE("option --patience ends a layer's search after that many generations in vain") {
  const Scene scene(many_heads());
  for (const std::size_t patience : {std::size_t{2}, std::size_t{5}}) {
    CAPTURE(patience);
    const std::string out = "run" + std::to_string(patience);
    scene.run(out, {"--generations", "5000", "--patience", std::to_string(patience)});
    const auto units = by_unit(scene.history(out), "1");
    REQUIRE(units.size() == 2);
    for (const auto& [unit, rows] : units) CHECK(rows.size() - 1 == last_gain(rows) + patience);
  }
}

TEST_CASE("option --seconds ends each stage once they are over, after one generation at least") {
  const Scene scene(many_heads());
  scene.run("run", {"--generations", "1000000", "--seconds", "1e-9"});
  const std::vector<CsvRow> history = scene.history("run");
  CHECK(history.size() == 3);  // one generation of two layers and of the model
  for (const CsvRow& row : history) CHECK(row.at("generation") == "0");
  CHECK(scene.record("run")["evaluations"] == sum_of(history, "evaluations"));
  CHECK(scene.counts("run").size() > 3);
}

TEST_CASE("options --nodes and --seconds bound the proof of the exact method") {
  const Scene scene(unpriced_heads());
  const std::vector<std::string> exact = {"--method", "exact", "--kv", "0.5"};
  const auto proof = [&](const std::string& out, const std::vector<std::string>& more) {
    std::vector<std::string> all = exact;
    all.insert(all.end(), more.begin(), more.end());
    scene.run(out, all);
    return scene.proof(out);
  };
  const std::vector<CsvRow> one = proof("one", {"--nodes", "1"});
  const std::vector<CsvRow> six = proof("six", {"--nodes", "6"});
  const std::vector<CsvRow> none = proof("none", {"--nodes", "6", "--seconds", "1e-9"});
  REQUIRE(one.size() == 2 * 18);
  CHECK(most_nodes(one) == 1);
  // A subset that is taken apart gives two.
  CHECK(most_nodes(six) >= 6);
  CHECK(most_nodes(six) <= 7);
  CHECK(most_nodes(none) == 0);
  CHECK(sum_of(six, "bound") > sum_of(one, "bound"));
  CHECK(sum_of(one, "bound") > sum_of(none, "bound"));
  CHECK(scene.record("six")["evaluations"] == sum_of(six, "nodes"));
}

TEST_CASE("options --group-limit and --min-groups bound the groups of every layer") {
  const Scene scene(TinyLlama{.kv_heads = 4});
  const auto range = [&](const std::string& out) {
    std::set<std::size_t> seen;
    for (const Counts& counts : scene.counts(out)) seen.insert(counts.begin(), counts.end());
    return seen;
  };
  scene.run("free", {});
  CHECK(range("free") == std::set<std::size_t>{1, 2, 3, 4});
  scene.run("most", {"--group-limit", "3"});
  CHECK(range("most") == std::set<std::size_t>{1, 2, 3});
  scene.run("least", {"--min-groups", "2"});
  CHECK(range("least") == std::set<std::size_t>{2, 3, 4});
}

TEST_CASE(
    "option --stage-two bit groups layers by one number of groups or leaves them as they are") {
  const Scene scene(TinyLlama{.layers = 3, .kv_heads = 4});
  // How many groupings have layers that are grouped, and not by one number of groups.
  const auto mixed = [&](const std::string& out) {
    std::size_t unlike = 0;
    std::size_t partly = 0;
    for (const Counts& counts : scene.counts(out)) {
      std::set<std::size_t> grouped(counts.begin(), counts.end());
      partly += grouped.erase(4) > 0 && !grouped.empty() ? 1 : 0;
      unlike += grouped.size() > 1 ? 1 : 0;
    }
    CHECK(partly > 0);
    return unlike;
  };
  scene.run("bit", {"--stage-two", "bit"});
  scene.run("member", {"--stage-two", "member"});
  CHECK(mixed("bit") == 0);
  CHECK(mixed("member") > 0);
}

TEST_CASE("options --iterations, --accept and --reset govern asymgqa's moves") {
  const Scene scene(TinyLlama{.query_heads = 8, .kv_heads = 8});
  const auto run = [&](const std::string& accept, const std::string& reset) {
    const std::string out = "accept" + accept + "reset" + reset;
    scene.run(out, {"--method", "asymgqa", "--distance", "weight", "--iterations", "15", "--accept",
                    accept, "--reset", reset});
    // Of two layers and 2 to 7 groups a start and its moves.
    CHECK(scene.record(out)["evaluations"] == 2 * 6 * (1 + 15));
    return promised_bytes(scene.path(out)).at("front.csv");
  };
  const std::string neither = run("0", "0");
  const std::string always_anew = run("0", "1");
  // What starts anew before every move does not depend on what it went on from.
  CHECK(always_anew == run("1", "1"));
  CHECK(neither != run("1", "0"));
  CHECK(neither != always_anew);
}

TEST_CASE("option --distance decides which heads asymgqa compares") {
  const Scene scene(TinyLlama{.query_heads = 8, .kv_heads = 8});
  const auto run = [&](const std::string& distance) {
    scene.run(distance, {"--method", "asymgqa", "--distance", distance, "--iterations", "15"});
    return promised_bytes(scene.path(distance)).at("front.csv");
  };
  CHECK(run("weight") != run("activation"));
  // Only activations need a text to calibrate on.
  CHECK(scene.record("weight")["data"]["calibration"].is_null());
  CHECK_FALSE(scene.record("activation")["data"]["calibration"].is_null());
}

TEST_CASE("options --layout and --freeze-layers rule the shapes of groupings") {
  const Scene scene(TinyLlama{.kv_heads = 4});
  scene.run("standard", {"--layout", "standard"});
  for (const Counts& counts : scene.counts("standard")) {
    CHECK(std::set<std::size_t>{1, 2, 4}.contains(counts[0]));
    CHECK(counts[0] == counts[1]);
  }
  scene.run("frozen", {"--freeze-layers", "1"});
  std::set<std::size_t> others;
  for (const Counts& counts : scene.counts("frozen")) {
    CHECK(counts[1] == 4);
    others.insert(counts[0]);
  }
  CHECK(others.size() == 4);
}

TEST_CASE("options --cache-budget, --context and --batch come to a limit of the KV ratio") {
  const Scene scene(TinyLlama{.kv_heads = 4});
  const json inspected = json::parse(
      run_regroup({"inspect", scene.path("tiny"), "--json", "--context", "10", "--batch", "3"})
          .output);
  const auto bytes = static_cast<std::int64_t>(inspected["kv_cache"]["bytes"].get<double>());
  CHECK(bytes == 30 * inspected["kv_bytes_per_token"].get<std::int64_t>());
  scene.run("run",
            {"--cache-budget", std::to_string(bytes / 2), "--context", "10", "--batch", "3"});
  CHECK(scene.front("run")["points"][0]["kv_limit"] == 0.5);
  CHECK(scene.front("run")["points"][0]["kv_ratio"] == 0.5);
}
