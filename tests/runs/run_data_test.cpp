#include "runs/reading/run_data.hpp"

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "search/base/error.hpp"
#include "tests/fixtures/sample_run.hpp"
#include "tests/support/catch.hpp"

namespace regroup::runs {
namespace {

using nlohmann::json;
using tests::contains;
using tests::read_file;
using tests::TemporaryDirectory;
using tests::write_sample_run;
using tests::write_text;

/// Changes one JSON file of a sample run and gives the message with which it is then refused.
std::string refusal(const std::string& file, const std::function<void(json&)>& change) {
  const TemporaryDirectory directory;
  write_sample_run(directory.path());
  json document = json::parse(read_file(directory.path() / file));
  change(document);
  write_text(directory.path() / file, document.dump());
  try {
    load_run(directory.path());
  } catch (const InputError& error) {
    return error.what();
  }
  return "not refused";
}

std::string refusal_of_text(const std::string& file, const std::string& text) {
  const TemporaryDirectory directory;
  write_sample_run(directory.path());
  write_text(directory.path() / file, text);
  try {
    load_run(directory.path());
  } catch (const InputError& error) {
    return error.what();
  }
  return "not refused";
}

TEST_CASE("a run directory is read whole") {
  const TemporaryDirectory directory;
  write_sample_run(directory.path(), {.values_differ = true});
  const RunData run = load_run(directory.path());
  CHECK(run.model.name == "books-llama");
  CHECK(run.source_bytes_per_token == 8192);
  REQUIRE(run.points.size() == 24 + 7 + 1 + 21);
  CHECK(run.points.front().series == "search");
  CHECK(run.points.front().method == "qcqa-ac");
  CHECK(run.points.front().proxies[0].has_value());
  CHECK_FALSE(run.points.front().proxies[1].has_value());
  REQUIRE(run.points.front().layers.size() == 8);
  CHECK(run.points.front().layers[3].name == "3");
  CHECK(run.points.front().layers[3].key.size() == 8);
  CHECK(run.points[12].layers[0].key != run.points[12].layers[0].value);
  CHECK(run.history.size() == 8 * 41 + 81);
  CHECK(run.history.back().unit == "model");
  CHECK(is_measured(run));
  REQUIRE(run.data.size() == 2);
  CHECK(run.data[1].role == "eval");
  CHECK(run.data[1].windows == 225);
}

TEST_CASE("what a report must not depend on is not read") {
  const TemporaryDirectory directory;
  write_sample_run(directory.path());
  const RunData run = load_run(directory.path());
  for (const auto& [name, value] : run.options) {
    CHECK(name != "threads");
    CHECK(name != "output");
    CHECK(name != "selection");
    CHECK(value.find('/') == std::string::npos);
    if (name == "kv") CHECK(value == "0.5, 0.25");
  }
}

TEST_CASE("what was not measured stays absent") {
  const TemporaryDirectory directory;
  write_sample_run(directory.path(), {.measured = false, .with_history = false});
  const RunData run = load_run(directory.path());
  CHECK_FALSE(is_measured(run));
  CHECK_FALSE(run.source_loss.has_value());
  CHECK_FALSE(run.points.front().delta_loss.has_value());
  CHECK(run.history.empty());
  CHECK(run.data.size() == 1);
}

TEST_CASE("missing and broken files are refused by name") {
  const TemporaryDirectory directory;
  CHECK_THROWS_AS(load_run(directory.path()), InputError);
  CHECK_THROWS_AS(load_run(directory.path() / "nowhere"), InputError);
  CHECK_THAT(refusal_of_text("run.json", "{\"format\": "), contains("run.json"));
  CHECK_THAT(refusal_of_text("run.json", "[]"), contains("an object"));
  CHECK_THAT(refusal_of_text("front.json", "\xff"), contains("front.json"));
  CHECK_THAT(refusal_of_text("front.json", "{\"format\": \"regroup.front\", \"version\": 1e999}"),
             contains("front.json"));
  CHECK_THAT(refusal_of_text("groupings/mqa.json", ""), contains("mqa.json"));
}

TEST_CASE("broken fields of run.json are refused by name") {
  CHECK_THAT(refusal("run.json", [](json& d) { d["format"] = "other"; }), contains("regroup.run"));
  CHECK_THAT(refusal("run.json", [](json& d) { d["version"] = 2; }), contains("version"));
  CHECK_THAT(refusal("run.json", [](json& d) { d["model"].erase("name"); }), contains("\"name\""));
  CHECK_THAT(refusal("run.json", [](json& d) { d["model"]["kv_heads"] = -3; }),
             contains("kv_heads"));
  CHECK_THAT(refusal("run.json", [](json& d) { d["model"]["layers"] = 0; }), contains("at least"));
  CHECK_THAT(refusal("run.json", [](json& d) { d["seed"] = "one"; }), contains("seed"));
  CHECK_THAT(refusal("run.json",
                     [](json& d) {
                       d["options"]["kv"] = json{{"a", 1}};
                     }),
             contains("kv"));
  CHECK_THAT(refusal("run.json", [](json& d) { d["data"]["eval"]["sampled"] = 1; }),
             contains("sampled"));
}

TEST_CASE("broken fields of front.json are refused with the point's place") {
  const auto point = [](const char* field, const json& value) {
    return refusal("front.json", [&](json& d) { d["points"][3][field] = value; });
  };
  CHECK_THAT(point("kv_ratio", 0), contains("points[3]"));
  CHECK_THAT(point("kv_ratio", 1.5), contains("(0, 1]"));
  CHECK_THAT(point("loss", "low"), contains("\"loss\""));
  CHECK_THAT(point("wse", json::array()), contains("\"wse\""));
  CHECK_THAT(point("bytes_per_token", 0.5), contains("bytes_per_token"));
  CHECK_THAT(point("grouping", "../../secret.json"), contains("inside the run directory"));
  CHECK_THAT(point("grouping", "/etc/passwd"), contains("inside the run directory"));
  CHECK_THAT(point("grouping", "groupings/none.json"), contains("none.json"));
  CHECK_THAT(refusal("front.json", [](json& d) { d["points"] = json::array(); }),
             contains("at least one point"));
}

TEST_CASE("groupings that are no partition are refused") {
  const auto groups = [](const json& value) {
    return refusal("groupings/mqa.json", [&](json& d) { d["layers"][2]["key_groups"] = value; });
  };
  CHECK_THAT(groups({{0, 1, 2, 3}, {4, 5, 6}}), contains("layers[2]"));
  CHECK_THAT(groups({{0, 1, 2, 3}, {4, 5, 6, 6}}), contains("listed twice"));
  CHECK_THAT(groups({{0, 1, 2, 3}, {4, 5, 6, 8}}), contains("out of range"));
  CHECK_THAT(groups({{0, 1, 2, 3, 4, 5, 6, 7}, json::array()}), contains("no heads"));
  CHECK_THAT(groups(7), contains("an array"));
}

TEST_CASE("a key-norm allocation's queries are read and checked") {
  const TemporaryDirectory directory;
  write_sample_run(directory.path());
  const auto file = directory.path() / "groupings/neighbour-2.json";
  json document = json::parse(read_file(file));
  document["layers"][0]["query_to_group"] = {0, 0, 0, 0, 0, 0, 1, 1};
  write_text(file, document.dump());
  const RunData run = load_run(directory.path());
  const FrontPoint& point = run.points[24 + 1];
  REQUIRE(point.grouping == "groupings/neighbour-2.json");
  CHECK(point.layers[0].query == std::vector<std::size_t>{0, 0, 0, 0, 0, 0, 1, 1});
  document["layers"][0]["query_to_group"] = {0, 0, 0, 0, 0, 0, 1, 2};
  write_text(file, document.dump());
  CHECK_THROWS_AS(load_run(directory.path()), InputError);
}

TEST_CASE("history rows are checked") {
  const std::string head = "stage,unit,generation,evaluations,front,hypervolume\n";
  CHECK_THAT(refusal_of_text("history.csv", "stage,unit\n"), contains("line 1"));
  CHECK_THAT(refusal_of_text("history.csv", head + "1,layer 0,0,10,3\n"), contains("6 columns"));
  CHECK_THAT(refusal_of_text("history.csv", head + "1,layer 0,-1,10,3,0.5\n"), contains("line 2"));
  CHECK_THAT(refusal_of_text("history.csv", head + "1,layer 0,0,10,3,1.5\n"), contains("[0, 1]"));
  CHECK_THAT(refusal_of_text("history.csv", head + "1,layer 0,0,10,3,nan\n"), contains("[0, 1]"));
  const TemporaryDirectory directory;
  write_sample_run(directory.path());
  write_text(directory.path() / "history.csv", head + "1,\"a, \"\"b\"\"\",0,10,3,0.5\r\n");
  const RunData run = load_run(directory.path());
  REQUIRE(run.history.size() == 1);
  CHECK(run.history[0].unit == "a, \"b\"");
}

TEST_CASE("several runs get labels, none of them twice, and a single one gets none") {
  const TemporaryDirectory directory;
  std::vector<RunData> runs;
  for (const char* name : {"books", "other/books", "other/books"}) {
    const auto path = directory.path() / name;
    write_sample_run(path, {.with_history = false});
    runs.push_back(load_run(path / ""));
  }
  CHECK(run_labels({runs.data(), 1}) == std::vector<std::string>{""});
  CHECK(run_labels(runs) == std::vector<std::string>{"books", "other/books", "other/books 2"});
  CHECK(series_label("books", runs[0].points[0]) == "books · search (qcqa-ac)");
  CHECK(series_label("", runs[0].points[0]) == "search (qcqa-ac)");
  CHECK(series_label("", runs[0].points[24]) == "neighbour");
}

}  // namespace
}  // namespace regroup::runs
