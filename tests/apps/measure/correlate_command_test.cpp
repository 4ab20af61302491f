// `regroup correlate` with the built program on a tiny model.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "fitness/rank_correlation.hpp"
#include "search/base/random.hpp"
#include "tests/apps/program.hpp"
#include "tests/fixtures/tiny_llama.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/csv_rows.hpp"
#include "tests/support/near.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace regroup;
using namespace regroup::tests;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

constexpr int kContext = 16;
constexpr int kWindows = 24;
constexpr int kHeldBack = 6;  // the last quarter

using Row = CsvRow;

/// A tiny model, random ids for it, and the part of them that is held back.
class Scene {
 public:
  Scene() {
    TinyLlama().write(path("model"));
    search::RandomStream random{search::RandomKey(5)};
    std::string ids;
    for (int i = 0; i < kWindows * kContext + 1; ++i) {
      ids += std::string{static_cast<char>(random.below(20)), '\0'};
    }
    scratch_.write("ids.bin", ids);
    scratch_.write("held-back.bin", ids.substr(2 * (kWindows - kHeldBack) * kContext));
  }

  std::string path(const std::string& name) const { return (scratch_.path() / name).string(); }
  const TemporaryDirectory& scratch() const { return scratch_; }

  std::vector<std::string> command(const std::string& out,
                                   const std::vector<std::string>& more = {}) const {
    std::vector<std::string> all = {"correlate", path("model"), "--data", path("ids.bin"),
                                    "-o",        path(out),     "-q"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  void runs(const std::string& out, const std::vector<std::string>& more = {}) const {
    const apps::ProcessResult result = run_regroup(command(out, more));
    INFO(result.error);
    REQUIRE(result.exit_status == 0);
  }
  void refuses(const std::vector<std::string>& more, const std::string& part) const {
    CAPTURE(more);
    const apps::ProcessResult result = run_regroup(command("refused", more));
    CHECK(result.exit_status == 2);
    CHECK_THAT(result.error, contains(part));
    CHECK(count_lines(result.error) <= 4);
    CHECK(result.output.empty());
    CHECK_FALSE(fs::exists(path("refused")));
  }
  std::vector<Row> samples(const std::string& out) const {
    return read_csv(path(out + "/samples.csv"));
  }
  json correlations(const std::string& out) const {
    return json::parse(read_file(path(out + "/correlations.json")));
  }

 private:
  TemporaryDirectory scratch_;
};

/// The price and the KL of the whole models of one size.
struct Column {
  std::vector<double> prices;
  std::vector<double> kl;
};

std::map<double, Column> models_by_size(const std::vector<Row>& rows, const std::string& proxy) {
  std::map<double, Column> sizes;
  for (const Row& row : rows) {
    if (row.at("family") != "model") continue;
    Column& column = sizes[number(row, "kv_limit")];
    column.prices.push_back(number(row, proxy));
    column.kl.push_back(number(row, "kl"));
  }
  return sizes;
}

}  // namespace

TEST_CASE("correlate says whether the order before training is that after it") {
  const Scene scene;
  scene.runs("trained", {"--uptrain", "1k", "--kv", "0.5", "--samples", "4", "-j", "2"});
  scene.runs("plain", {"--kv", "0.5", "--samples", "4"});
  std::vector<double> before;
  std::vector<double> after;
  std::vector<double> prices;
  std::set<std::string> seen;
  for (const Row& row : scene.samples("trained")) {
    CHECK(row.at("uptrained_delta_loss").empty() == (row.at("family") == "layer"));
    if (row.at("family") == "layer" || !seen.insert(row.at("partitions")).second) continue;
    before.push_back(number(row, "kl"));
    prices.push_back(number(row, "fisher"));
    after.push_back(number(row, "uptrained_delta_loss"));
  }
  REQUIRE(after.size() >= 4);
  const json trained = scene.correlations("trained");
  CHECK(trained.at("uptrained").at("tokens") == 1000);
  const auto spearman = [&](const std::string& name) {
    for (const json& row : trained.at("uptrained").at("ranked_by")) {
      if (row.at("by") == name) return row.at("models").at("spearman").get<double>();
    }
    FAIL("nothing is ranked by " << name);
    return 0.0;
  };
  CHECK(spearman("kl") == Approx(fitness::spearman(before, after)).epsilon(1e-12));
  CHECK(spearman("fisher") == Approx(fitness::spearman(prices, after)).epsilon(1e-12));
  // All else is as without it.
  json rest = trained;
  rest.erase("uptrained");
  CHECK(rest == scene.correlations("plain"));
  CHECK(!scene.samples("plain").front().contains("uptrained_delta_loss"));
  const apps::ProcessResult shown =
      run_regroup(scene.command("shown", {"--uptrain", "1k", "--kv", "0.5", "--samples", "1"}));
  CHECK_THAT(shown.output, contains("after 1000 tokens of training"));
  scene.refuses({"--uptrain", "many"}, "--uptrain");
}

TEST_CASE("correlate writes the same bytes for any number of threads") {
  const Scene scene;
  scene.runs("one", {"-j", "1"});
  scene.runs("two", {"-j", "2"});
  scene.runs("other", {"-j", "2", "--seed", "2"});
  const std::vector<std::string> names = {"correlations.csv", "correlations.json", "samples.csv"};
  for (const std::string& name : names) {
    CHECK(read_file(scene.path("one/" + name)) == read_file(scene.path("two/" + name)));
    CHECK(read_file(scene.path("one/" + name)) != read_file(scene.path("other/" + name)));
  }
  std::set<std::string> written;
  for (const auto& entry : fs::directory_iterator(scene.path("one"))) {
    written.insert(entry.path().filename());
  }
  CHECK(written == std::set<std::string>(names.begin(), names.end()));
}

TEST_CASE("correlate samples every layer, number of groups and size") {
  const Scene scene;
  scene.runs("out");
  std::set<std::pair<int, int>> layers;
  std::set<std::string> distinct;
  std::map<std::string, std::map<std::string, bool>> has_best;  // by proxy and size
  for (const Row& row : scene.samples("out")) {
    const bool single = row.at("family") == "layer";
    if (single) {
      layers.emplace(std::stoi(row.at("layer")), std::stoi(row.at("groups")));
      CHECK(number(row, "kv_ratio") == (4 + number(row, "groups")) / 8);
    } else {
      CHECK(number(row, "kv_ratio") <= number(row, "kv_limit"));
      for (const char* proxy : {"wse", "activation", "residual", "fisher"}) {
        has_best[proxy][row.at("kv_limit")] |= row.at("origin").find(proxy) != std::string::npos;
      }
    }
    CHECK(number(row, "kl") > 0);
    distinct.insert(row.at("layer") + row.at("kv_limit") + row.at("partitions"));
  }
  CHECK(layers == std::set<std::pair<int, int>>{{0, 1}, {0, 2}, {0, 3}, {1, 1}, {1, 2}, {1, 3}});
  CHECK(distinct.size() == scene.samples("out").size());
  CHECK(has_best.size() == 4);
  for (const auto& [proxy, sizes] : has_best) {
    CHECK(sizes.size() == 4);  // 0.125 cannot be reached with 4 heads
    for (const auto& [size, found] : sizes) CHECK(found);
  }
}

TEST_CASE("correlate's statistics follow from its samples") {
  const Scene scene;
  scene.runs("out");
  const std::vector<Row> rows = scene.samples("out");
  const json correlations = scene.correlations("out");
  CHECK(correlations["format"] == "regroup.correlate");
  CHECK(correlations["data"]["measured_tokens"] == kHeldBack * kContext);
  CHECK(correlations["data"]["calibration_tokens"] == (kWindows - kHeldBack) * kContext);
  int regretted = 0;
  for (const json& proxy : correlations["proxies"]) {
    const std::string name = proxy["proxy"];
    CAPTURE(name);
    std::vector<double> prices, kl;
    for (const Row& row : rows) {
      if (row.at("family") != "layer") continue;
      prices.push_back(number(row, name));
      kl.push_back(number(row, "kl"));
    }
    CHECK(proxy["kl"]["layers"]["spearman"] == fitness::spearman(prices, kl));
    CHECK(proxy["kl"]["layers"]["kendall"] == fitness::kendall(prices, kl));
    double sum = 0;
    const auto sizes = models_by_size(rows, name);
    std::size_t place = 0;
    for (const auto& [size, column] : sizes) {
      const auto first = std::ranges::min_element(column.prices) - column.prices.begin();
      const double least = *std::ranges::min_element(column.kl);
      const double regret = column.kl[static_cast<std::size_t>(first)] - least;
      CHECK(proxy["kl"]["regret"][place]["kv_limit"] == size);
      CHECK(proxy["kl"]["regret"][place++]["regret"] == near(regret, 1e-15));
      sum += regret;
      regretted += regret > 0;
    }
    CHECK(proxy["kl"]["mean_regret"] == Approx(sum / static_cast<double>(sizes.size())));
  }
  CHECK(regretted > 0);
}

TEST_CASE("correlate measures what eval measures on the same text") {
  const Scene scene;
  scene.runs("out", {"--merge", "mean"});
  int compared = 0;
  for (const Row& row : scene.samples("out")) {
    if (row.at("family") != "layer" || row.at("partitions") != "0 1 | 2 3") continue;
    const int layer = std::stoi(row.at("layer"));
    json grouping = {{"format", "regroup.grouping"}, {"version", 1}, {"layers", json::array()}};
    for (int l = 0; l < 2; ++l) {
      const json groups =
          l == layer ? json::parse("[[0,1],[2,3]]") : json::parse("[[0],[1],[2],[3]]");
      grouping["layers"].push_back({{"index", l}, {"key_groups", groups}});
    }
    scene.scratch().write("grouping.json", grouping.dump());
    const apps::ProcessResult result = run_regroup(
        {"eval", scene.path("model"), "--task", "divergence", "--grouping",
         scene.path("grouping.json"), "--data", scene.path("held-back.bin"), "--json", "-q"});
    REQUIRE(result.exit_status == 0);
    const json values = json::parse(result.output)["results"]["divergence"];
    for (const char* field : {"kl", "kl_stderr", "delta_loss", "delta_loss_stderr"}) {
      CHECK(values[std::string(field) + ",none"] == number(row, field));
    }
    ++compared;
  }
  CHECK(compared == 2);
}

TEST_CASE("correlate measures on a text of its own where one is given") {
  const Scene scene;
  scene.runs("out", {"--selection", scene.path("held-back.bin"), "--refit", "both", "--kv", "0.5",
                     "--samples", "1"});
  const json data = scene.correlations("out")["data"];
  CHECK(data["calibration_tokens"] == kWindows * kContext);
  CHECK(data["measured_tokens"] == kHeldBack * kContext);
  CHECK(data.contains("selection_sha256"));
}

TEST_CASE("correlate prints a table or its JSON") {
  const Scene scene;
  const apps::ProcessResult text = run_regroup(scene.command("text"));
  CHECK_THAT(text.output, contains("Least mean regret: "));
  CHECK_THAT(text.output, contains("fisher"));
  const apps::ProcessResult document = run_regroup(scene.command("json", {"--json"}));
  CHECK(json::parse(document.output) == scene.correlations("json"));
}

TEST_CASE("correlate replaces files only when told to, and only its own") {
  const Scene scene;
  scene.scratch().write("out/note.txt", "mine");
  const apps::ProcessResult refused = run_regroup(scene.command("out"));
  CHECK(refused.exit_status == 2);
  CHECK_THAT(refused.error, contains("--force"));
  scene.runs("out", {"--force", "--kv", "0.5"});
  CHECK(read_file(scene.path("out/note.txt")) == "mine");
  CHECK(fs::exists(scene.path("out/samples.csv")));
}

TEST_CASE("correlate refuses bad options before it writes") {
  const Scene scene;
  scene.refuses({"--merge", "magic"}, "mean");
  scene.refuses({"--refit", "magic"}, "both");
  scene.refuses({"--renorm"}, "renorm");
  scene.refuses({"--kv", "0"}, "--kv");
  scene.refuses({"--kv", "1"}, "--kv");
  scene.refuses({"--kv", "0.5,nan"}, "--kv");
  scene.refuses({"--kv", "0.125"}, "at least 0.25");
  scene.refuses({"--samples", "-1"}, "--samples");
  scene.refuses({"--tokens", "-1"}, "--tokens");
  scene.refuses({"--tokens", "16"}, "at least 2 windows");
  scene.refuses({"--seed", "-1"}, "--seed");
  scene.refuses({"--threads", "0"}, "--threads");
  scene.refuses({"--dtype", "int8"}, "--dtype");
  scene.refuses({"--selection", scene.path("absent.bin")}, "absent.bin");
  scene.refuses({"--selection", scene.path("ids.bin")}, "the same data");
  const auto no_data = run_regroup({"correlate", scene.path("model"), "-o", scene.path("refused")});
  CHECK(no_data.exit_status == 2);
  CHECK_THAT(no_data.error, contains("--data"));
}

TEST_CASE("correlate refuses a model without heads to share") {
  const Scene scene;
  TinyLlama{.query_heads = 4, .kv_heads = 1}.write(scene.path("model"));
  scene.refuses({}, "too few KV heads");
}

TEST_CASE("correlate --exhaustive measures every grouping, so that regret is from the optimum") {
  const Scene scene;
  scene.runs("all", {"--exhaustive", "--merge", "mean"});
  const std::vector<Row> rows = scene.samples("all");
  // Of 2 layers of 4 heads: sizes 0.75, 0.5, 0.375 and 0.25 of 8 groups are 6, 4, 3 and 2.
  std::map<double, std::set<std::string>> models;
  std::map<std::string, std::set<std::string>> layers;
  std::map<double, double> least;
  for (const Row& row : rows) {
    if (row.at("family") == "layer") {
      layers[row.at("layer") + " " + row.at("groups")].insert(row.at("partitions"));
      continue;
    }
    const double limit = number(row, "kv_limit");
    // A proxy's cheapest may be smaller than its limit.
    if (number(row, "kv_ratio") == limit) models[limit].insert(row.at("partitions"));
    const auto [place, is_new] = least.emplace(limit, number(row, "kl"));
    if (!is_new) place->second = std::min(place->second, number(row, "kl"));
  }
  // Ways to split g groups over both layers, with S(4, ·) = 1, 7, 6, 1.
  CHECK(models[0.75].size() == 7 + 36 + 7);
  CHECK(models[0.5].size() == 6 + 49 + 6);
  CHECK(models[0.375].size() == 7 + 7);
  CHECK(models[0.25].size() == 1);
  CHECK(layers["0 2"].size() == 7);
  CHECK(layers["1 3"].size() == 6);
  int regrets = 0;
  const json correlations = scene.correlations("all");
  for (const json& proxy : correlations["proxies"]) {
    for (const json& regret : proxy["kl"]["regret"]) {
      double chosen = 1e300;
      for (const Row& row : rows) {
        if (row.at("family") != "model" || number(row, "kv_limit") != regret["kv_limit"]) continue;
        if (row.at("origin").find(proxy["proxy"].get<std::string>()) == std::string::npos) continue;
        chosen = std::min(chosen, number(row, "kl"));
      }
      CHECK(regret["regret"].get<double>() == near(chosen - least[regret["kv_limit"]], 1e-12));
      ++regrets;
    }
  }
  CHECK(regrets >= 8);
}

TEST_CASE("correlate --exhaustive refuses a model of too many groupings before it begins") {
  const Scene scene;
  TinyLlama large;
  large.layers = 6;
  large.write(scene.path("model"));
  scene.refuses({"--exhaustive"}, "too many groupings");
}
