// What a report says of grouping beside quantised caches, on made-up numbers.

#include "runs/reading/cache_comparison.hpp"

#include <nlohmann/json.hpp>

#include "apps/report/html_report.hpp"
#include "search/base/error.hpp"
#include "tests/fixtures/sample_run.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/error_message.hpp"

namespace regroup::apps {

using namespace runs;
namespace {

using nlohmann::json;
using tests::contains;
using tests::error_message;
using tests::read_file;
using tests::TemporaryDirectory;
using tests::write_sample_run;
using tests::write_text;

/// Losses of one grouping with a plain, an 8-bit and a 4-bit cache.
struct Losses {
  double kv_ratio;
  double plain, eight, four;
};

FrontPoint point_of(const Losses& losses) {
  FrontPoint point;
  point.series = "search";
  point.kv_ratio = losses.kv_ratio;
  const auto bytes = [&](double all) { return static_cast<std::uint64_t>(all * losses.kv_ratio); };
  point.bytes_per_token = bytes(6400);
  point.loss = losses.plain;
  point.caches = {{"q8_0", bytes(3400), losses.eight, losses.eight - 4, {}},
                  {"q4_0", bytes(1800), losses.four, losses.four - 4, {}}};
  return point;
}

/// A source of 6,400 bytes per token and loss 4, with groupings.
RunData run_of(double eight, double four, const std::vector<Losses>& groupings) {
  RunData run;
  run.model.dtype = "bfloat16";
  run.source_bytes_per_token = 6400;
  run.source_loss = 4;
  run.source_caches = {{"q8_0", 3400, eight, eight - 4, {}}, {"q4_0", 1800, four, four - 4, {}}};
  for (const Losses& losses : groupings) run.points.push_back(point_of(losses));
  FrontPoint baseline = point_of({0.75, 1, 1, 1});
  baseline.series = "neighbour";  // has no say
  run.points.push_back(baseline);
  return run;
}

const std::vector<Losses> kGroupings = {
    {0.25, 4.5, 4.51, 4.6}, {0.5, 4.2, 4.21, 4.3}, {0.75, 4.1, 4.11, 4.2}, {1, 4, 4.01, 4.1}};

/// The sentence that begins so; fails the test where there is none.
std::string sentence(const RunData& run, const std::string& begin) {
  for (const std::string& text : cache_verdict(run)) {
    if (text.starts_with(begin)) return text;
  }
  CAPTURE(cache_verdict(run));
  FAIL("no sentence begins with: " << begin);
  return "";
}

}  // namespace

TEST_CASE("the verdict says where plain 8 bits win everywhere") {
  const RunData run = run_of(4.01, 4.1, kGroupings);
  CHECK(
      sentence(run, "Plain q8_0 beats") ==
      "Plain q8_0 beats grouping. The ungrouped model with a q8_0 cache takes 3\u202f400 bytes per "
      "token at loss 4.0100. The one grouping with a bfloat16 cache of as many bytes or more "
      "(4\u202f800 bytes per token) has a higher loss. Within as many bytes, the best grouping "
      "with a bfloat16 cache has loss 4.2000.");
  // 4 bits lose to none of the groupings above them but tie with the largest.
  CHECK(
      sentence(run, "Plain q4_0 beats") ==
      "Plain q4_0 beats grouping in part. The ungrouped model with a q4_0 cache takes 1\u202f800 "
      "bytes per token at loss 4.1000. Of the 2 groupings with a bfloat16 cache of as many bytes "
      "or more 1 has a higher loss (3\u202f200 bytes per token), 1 a loss as low or lower "
      "(4\u202f800 bytes per token). Within as many bytes, the best grouping with a bfloat16 cache "
      "has loss 4.5000.");
  CHECK(sentence(run, "q4_0 alone") ==
        "q4_0 alone beats grouping with a q8_0 cache. Within the 1\u202f800 bytes per token of the "
        "ungrouped model with a q4_0 cache (loss 4.1000), the best with a q8_0 cache is a grouping "
        "of KV ratio 0.5 at loss 4.2100.");
  CHECK(sentence(run, "Smaller caches") ==
        "Smaller caches need grouping: within 900 bytes per token, half of the smallest above, the "
        "lowest loss is 4.3000, of a grouping of KV ratio 0.5 with a q4_0 cache.");
}

TEST_CASE("the verdict says where plain 8 bits win nowhere") {
  const RunData run = run_of(5, 6, kGroupings);
  const std::string eight = sentence(run, "Grouping beats plain q8_0.");
  CHECK_THAT(eight, contains("(4\u202f800 bytes per token) has a loss as low or lower."));
  const std::string four = sentence(run, "Grouping beats plain q4_0.");
  CHECK_THAT(four, contains("none has a higher loss (3\u202f200 to 4\u202f800 bytes per token)."));
  CHECK_THAT(sentence(run, "Grouping with a q8_0 cache beats q4_0 alone."),
             contains("a grouping of KV ratio 0.5 at loss 4.2100"));
}

TEST_CASE("the verdict says where plain 8 bits win in part") {
  const RunData above =
      run_of(4.15, 6, {{0.5, 4.2, 9, 9}, {0.55, 4.18, 9, 9}, {0.6, 4.16, 9, 9}, {0.75, 4.1, 9, 9}});
  CHECK_THAT(sentence(above, "Plain q8_0 beats grouping in part."),
             contains("Of the 3 groupings") && contains("2 have a higher loss (3\u202f520 to "
                                                        "3\u202f840 bytes per token), 1 a loss"));
  // A smaller grouping is better than 8 bits, all larger ones are worse.
  const RunData odd = run_of(4.15, 6, {{0.5, 4.12, 9, 9}, {0.75, 4.3, 9, 9}});
  CHECK_THAT(sentence(odd, "Plain q8_0 beats grouping in part."),
             contains("has a higher loss. Within as many bytes, the best grouping with a bfloat16 "
                      "cache has loss 4.1200."));
}

TEST_CASE("what was not measured is not spoken of") {
  RunData run = run_of(4.01, 4.1, {});
  CHECK(cache_verdict(run).size() == 0);
  run = run_of(4.01, 4.1, kGroupings);
  run.source_caches.pop_back();  // no 4 bits
  const std::vector<std::string> verdict = cache_verdict(run);
  CHECK_FALSE(verdict.empty());
  for (const std::string& text : verdict) CHECK(text.find("q4_0") == std::string::npos);
  CHECK(compared_sizes(run) == std::vector<std::uint64_t>{3400, 1700, 850});
  run.source_caches = {{"f16", 6400, 4.0, 0, {}}};  // saves nothing
  CHECK(cache_verdict(run).empty());
  CHECK(compared_sizes(run).empty());
  run.source_caches.clear();
  CHECK(cached_models(run).empty());
}

TEST_CASE("the best of each size is within it, the source among the models") {
  const RunData run = run_of(4.01, 4.1, kGroupings);
  const std::vector<CachedModel> models = cached_models(run);
  REQUIRE(models.size() == 3 * 4);  // the source and three smaller groupings, three types
  CHECK(compared_sizes(run) == std::vector<std::uint64_t>{3400, 1800, 900, 450});
  const auto plain = best_cached_within(models, "", 3400);
  REQUIRE(plain.has_value());
  CHECK(plain->bytes_per_token == 3200);
  CHECK(plain->point->kv_ratio == 0.5);
  CHECK_FALSE(best_cached_within(models, "q8_0", 3400)->is_grouped());
  CHECK_FALSE(best_cached_within(models, "q8_0", 849).has_value());
}

TEST_CASE("caches of front.json are read, shown, and not asked of older runs") {
  const TemporaryDirectory directory;
  write_sample_run(directory.path());
  const RunData old = load_run(directory.path());
  CHECK(old.source_caches.empty());
  const json before = report_data({&old, 1}, directory.path())["runs"][0];
  CHECK_FALSE(before.contains("caches"));
  CHECK_FALSE(before["source"].contains("caches"));

  write_sample_run(directory.path(), {.with_caches = true});
  const RunData run = load_run(directory.path());
  REQUIRE(run.source_caches.size() == 2);
  CHECK(run.source_caches[0].bytes_per_token == 4352);
  const json data = report_data({&run, 1}, directory.path())["runs"][0];
  CHECK(data["caches"]["types"] == json({"q8_0", "q4_0"}));
  CHECK(data["caches"]["verdict"] == cache_verdict(run));
  CHECK(data["caches"]["sizes"][0]["bytes"] == 4352);
  REQUIRE(data["caches"]["sizes"][0]["best"].size() == 3);
  CHECK(data["caches"]["sizes"][0]["best"][1]["kv"] == 1.0);
  // The best of a type says how wide its groups are, where they are not heads.
  RunData wide = run;
  for (FrontPoint& point : wide.points) point.width = "64";
  const json widened = report_data({&wide, 1}, directory.path())["runs"][0]["caches"]["sizes"][0];
  CHECK_FALSE(data["caches"]["sizes"][0]["best"][0].contains("width"));
  CHECK(widened["best"][0]["width"] == "64");
  CHECK_FALSE(widened["best"][1].contains("width"));
  CHECK(data["series"][0]["points"][3]["caches"][1]["type"] == "q4_0");
  CHECK_FALSE(data["series"][1]["points"][0].contains("caches"));
  CHECK_THAT(html_report({&run, 1}, directory.path()), contains("Plain q8_0 beats grouping"));

  json front = json::parse(read_file(directory.path() / "front.json"));
  front["points"][2]["caches"][1]["loss"] = "low";
  write_text(directory.path() / "front.json", front.dump());
  CHECK_THAT(error_message<InputError>([&] { load_run(directory.path()); }),
             contains("points[2], caches[1]") && contains("loss"));
}

}  // namespace regroup::apps
