#include "apps/report/html_report.hpp"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "search/base/error.hpp"
#include "tests/fixtures/sample_run.hpp"
#include "tests/support/catch.hpp"

namespace regroup::apps {

using namespace runs;
namespace {

using nlohmann::json;
using tests::Approx;
using tests::contains;
using tests::read_file;
using tests::SampleRun;
using tests::TemporaryDirectory;
using tests::write_sample_run;
using tests::write_text;

std::string between(const std::string& text, const std::string& begin, const std::string& end) {
  const std::size_t from = text.find(begin) + begin.size();
  REQUIRE(from != std::string::npos + begin.size());
  return text.substr(from, text.find(end, from) - from);
}

/// The data block as the page's script reads it.
std::string data_text(const std::string& page) {
  return between(page, "id=\"report-data\">", "</script>");
}

json data_of(const std::string& page) {
  return json::parse(data_text(page));
}

std::string report_of(const std::filesystem::path& run) {
  const RunData data = load_run(run);
  return html_report({&data, 1}, run);
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

TEST_CASE("the same run gives the same page, wherever it lies") {
  const TemporaryDirectory first, second;
  write_sample_run(first.path());
  write_sample_run(second.path() / "deeper");
  const std::string page = report_of(first.path());
  CHECK(page == report_of(first.path()));
  CHECK(page == report_of(second.path() / "deeper"));
}

TEST_CASE("the page loads nothing and names no absolute path") {
  const TemporaryDirectory directory;
  write_sample_run(directory.path());
  const std::string page = report_of(directory.path());
  // Two addresses stand in comments of Chart.js; nothing else names one.
  const std::string chart = between(page, "/*!\n * Chart.js", "</script>");
  CHECK(count(page, "https://") == count(chart, "https://"));
  CHECK(count(page, "http://") == 0);
  CHECK(count(page, "src=\"") == 0);
  CHECK(count(page, "@import") == 0);
  CHECK_THAT(page, contains("default-src 'none'"));
  CHECK_THAT(page, contains("Released under the MIT License"));
  CHECK_THAT(page, contains("The above copyright notice and this\npermission notice"));
  CHECK(count(page, directory.path().string()) == 0);
  CHECK(count(page, "/somewhere") == 0);
  CHECK(count(page, "{{") == 0);
}

TEST_CASE("times, threads and the command line stay out") {
  const TemporaryDirectory directory;
  write_sample_run(directory.path());
  const std::string page = report_of(directory.path());
  json run = json::parse(read_file(directory.path() / "run.json"));
  run["threads"] = 64;
  run["options"]["threads"] = 64;
  run["options"]["output"] = "/elsewhere";
  run["device"] = "cuda:0";
  run["command_line"] = {"regroup"};
  run["timings"] = {{"search", 99.5}};
  write_text(directory.path() / "run.json", run.dump());
  CHECK(page == report_of(directory.path()));
}

TEST_CASE("a run that has not written its run.json yet gives the same page") {
  const TemporaryDirectory directory;
  write_sample_run(directory.path());
  const std::string page = report_of(directory.path());
  const json record = json::parse(read_file(directory.path() / "run.json"));
  std::filesystem::remove(directory.path() / "run.json");
  const RunData run = load_run(directory.path(), record);
  CHECK(page == html_report({&run, 1}, directory.path()));
}

TEST_CASE("the data block holds points, links, partitions and correlations") {
  const TemporaryDirectory directory;
  write_sample_run(directory.path() / "runs/books run#1");
  const RunData run = load_run(directory.path() / "runs/books run#1");
  const json data = data_of(html_report({&run, 1}, directory.path() / "reports"));
  REQUIRE(data["runs"].size() == 1);
  const json& series = data["runs"][0]["series"];
  REQUIRE(series.size() == 4);
  CHECK(series[0]["label"] == "search (qcqa-ac)");
  CHECK(series[3]["label"] == "random");
  REQUIRE(series[0]["points"].size() == 24);
  const json& point = series[0]["points"][0];
  CHECK(point["link"] == "../runs/books%20run%231/groupings/search-000.json");
  CHECK(point["bytes"] == 1024);
  const FrontPoint& from = run.points[0];
  CHECK(from.kl.value() > 0);
  CHECK(point["kl"] == *from.kl);
  CHECK(point["kl_stderr"] == *from.kl_stderr);
  CHECK(point["agreement"] == *from.top1_agreement);
  CHECK(point["low"] == *from.delta_loss_low);
  CHECK(point["high"] == *from.delta_loss_high);
  CHECK_FALSE(point.contains("search_better"));
  CHECK(series[1]["points"][0]["search_better"] == *run.points[24].search_better);
  CHECK(data["partitions"][point["keys"][0].get<std::size_t>()] == json(std::vector<int>(8, 0)));
  CHECK_FALSE(point.contains("values"));
  const json& correlations = data["runs"][0]["correlations"]["wse"];
  CHECK(correlations["n"] == 53);
  CHECK(correlations["rho"].get<double>() > 0.9);
  // A single point has no rank correlation: absent, since JSON has no NaN.
  CHECK(series[2]["correlations"]["wse"] == json{{"n", 1}});
}

TEST_CASE("independent value partitions are in the data") {
  const TemporaryDirectory directory;
  write_sample_run(directory.path(), {.values_differ = true});
  const json data = data_of(report_of(directory.path()));
  CHECK(data["runs"][0]["series"][0]["points"][12].contains("values"));
  CHECK_FALSE(data["runs"][0]["series"][1]["points"][0].contains("values"));
}

TEST_CASE("an absent loss stays absent") {
  const TemporaryDirectory directory;
  write_sample_run(directory.path(), {.measured = false});
  const json data = data_of(report_of(directory.path()));
  CHECK(data["measured"] == false);
  CHECK_FALSE(data["runs"][0]["source"].contains("loss"));
  std::size_t points = 0;
  for (const json& series : data["runs"][0]["series"]) {
    for (const json& point : series["points"]) {
      CHECK_FALSE(point.contains("loss"));
      CHECK_FALSE(point.contains("delta"));
      CHECK_FALSE(point.contains("stderr"));
      ++points;
    }
    CHECK(series["correlations"].empty());
  }
  CHECK(points == 24 + 7 + 1 + 21);
}

TEST_CASE("hostile names cannot leave their place") {
  const TemporaryDirectory directory;
  const std::string hostile = "<i>\"a\"&'b'</script><script>alert(1)</script>\u2028{{script}}<!--";
  write_sample_run(directory.path(), {.model_name = hostile, .method = hostile});
  json front = json::parse(read_file(directory.path() / "front.json"));
  front["points"][0]["merge"] = hostile;
  write_text(directory.path() / "front.json", front.dump());
  const std::string page = report_of(directory.path());
  CHECK(count(page, "alert(1)</script>") == 0);
  CHECK(count(page, "<i>") == 0);
  CHECK(count(page, "</script>") == 3);
  CHECK(count(data_text(page), "<") == 0);
  CHECK(count(data_text(page), ">") == 0);
  CHECK(count(data_text(page), "&") == 0);
  CHECK(count(data_text(page), "\u2028") == 0);
  const json data = data_of(page);
  CHECK(data["runs"][0]["series"][0]["points"][0]["merge"] == hostile);
  CHECK(count(page, "<title>script&gt;") + count(page, "<title>&lt;i&gt;") == 1);
}

TEST_CASE("a link cannot start a scheme") {
  const TemporaryDirectory directory;
  write_sample_run(directory.path());
  std::filesystem::rename(directory.path() / "groupings/mqa.json",
                          directory.path() / "javascript:alert(1)");
  json front = json::parse(read_file(directory.path() / "front.json"));
  for (json& point : front["points"]) {
    if (point["series"] == "mqa") point["grouping"] = "javascript:alert(1)";
  }
  write_text(directory.path() / "front.json", front.dump());
  const json data = data_of(report_of(directory.path()));
  CHECK(data["runs"][0]["series"][2]["points"][0]["link"] == "javascript%3Aalert%281%29");
}

TEST_CASE("several runs stand in one page, each series with its run's name") {
  const TemporaryDirectory directory;
  write_sample_run(directory.path() / "books");
  write_sample_run(directory.path() / "exact", {.method = "exact", .with_history = false});
  const std::vector<RunData> runs{load_run(directory.path() / "books"),
                                  load_run(directory.path() / "exact")};
  const json data = data_of(html_report(runs, directory.path()));
  REQUIRE(data["runs"].size() == 2);
  CHECK(data["runs"][0]["series"][0]["label"] == "books · search (qcqa-ac)");
  CHECK(data["runs"][1]["series"][0]["label"] == "exact · search (exact)");
  CHECK(data["runs"][1]["series"][1]["label"] == "exact · neighbour");
  CHECK(data["runs"][1]["series"][0]["points"][0]["link"] == "exact/groupings/search-000.json");
  CHECK_THROWS_AS(html_report({}, directory.path()), InputError);
}

TEST_CASE("text sampled from the model is marked as such") {
  const TemporaryDirectory directory;
  write_sample_run(directory.path(), {.sampled_data = true});
  const json data = data_of(report_of(directory.path()));
  REQUIRE_FALSE(data["runs"][0]["data"].empty());
  for (const json& input : data["runs"][0]["data"]) CHECK(input["sampled"] == true);
}

}  // namespace
}  // namespace regroup::apps
