// What a search takes where nothing is said, by the shape of the model; what its record says; which
// options do not go together.

#include "runs/plan/search_plan.hpp"

#include <algorithm>
#include <set>

#include "models/merge/merge_operator.hpp"
#include "models/merge/operators/merge_table.hpp"
#include "search/base/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/error_message.hpp"

using namespace regroup;
using runs::make_plan;
using runs::SearchPlan;
using runs::SearchRequest;
using search::OptionValue;

namespace {

/// Layers of so many heads whose rows are all rotary.
models::ModelConfig shape(int heads, int head_dim) {
  models::ModelConfig config;
  config.query_heads = config.kv_heads = heads;
  config.head_dim = head_dim;
  config.rotary.dimensions = head_dim;
  return config;
}

using Said = std::vector<std::pair<std::string, OptionValue>>;

/// A request with the values of some flags.
SearchRequest asked(const Said& said) {
  SearchRequest request;
  const std::vector<search::Option> options = request.options();
  for (const auto& [flag, value] : said) search::set(options, flag, value);
  return request;
}

SearchPlan plan_of(const Said& said, const models::ModelConfig& config = shape(8, 32)) {
  SearchRequest request = asked(said);
  return make_plan(std::move(request), config);
}

std::string method_for(const models::ModelConfig& config, const Said& said = {}) {
  return std::string(plan_of(said, config).method->name());
}

std::string refusal(const Said& said) {
  return tests::error_message<InputError>([&] { plan_of(said); });
}

double fisher_work(const models::ModelConfig& config, std::string_view merge, int members) {
  return fitness::find_fitness("fisher").group_work(config, models::find_merge(merge), members);
}

std::string text(const char* words) {
  return words;
}

}  // namespace

TEST_CASE("the default method is exact where every layer is proven in minutes") {
  CHECK(method_for(shape(8, 32)) == "exact");
  CHECK(method_for(shape(8, 128)) == "exact");
  CHECK(method_for(shape(16, 8)) == "exact");
  CHECK(method_for(shape(16, 64)) == "qcqa");
  CHECK(method_for(shape(17, 8)) == "qcqa");
  CHECK(method_for(shape(16, 128), {{"--fitness", text("wse")}}) == "exact");
  CHECK(method_for(shape(12, 64), {{"--merge", text("mean")}}) == "exact");
  CHECK(method_for(shape(32, 128), {{"--method", text("exact")}}) == "exact");
}

TEST_CASE("a residual takes work in the cube of a group's rows, keys without rotary as values do") {
  const models::ModelConfig rotary = shape(16, 64);
  models::ModelConfig plain = rotary;
  plain.rotary.dimensions = 0;
  CHECK(fisher_work(rotary, "optimal", 8) / fisher_work(rotary, "optimal", 4) == Approx(8));
  CHECK(fisher_work(plain, "optimal", 4) / fisher_work(rotary, "optimal", 4) ==
        Approx(2).epsilon(0.01));
  CHECK(fisher_work(rotary, "mean", 8) < fisher_work(rotary, "optimal", 8) / 8);
  const auto& by_weights = fitness::find_fitness("wse");
  CHECK(by_weights.group_work(rotary, models::find_merge("optimal"), 8) == 0);
}

TEST_CASE("what is left open becomes the best combination, as far as it goes with what is said") {
  const SearchPlan plain = plan_of({});
  CHECK(plain.price.name() == "fisher");
  CHECK(plain.recipe ==
        models::MergeRecipe(models::find_merge("optimal"), false, models::Refit::kBoth));
  CHECK(plain.uses_calibration());
  CHECK(plain.uses_gradients());
  CHECK_FALSE(plain.selects_by_measuring());
  models::ModelConfig normed = shape(8, 32);
  normed.query_key_norm = models::QueryKeyNorm::kByHead;
  CHECK(plan_of({}, normed).recipe.refit == models::Refit::kOutput);
  // A merge that is given stands alone, and so does a measured search.
  CHECK(plan_of({{"--merge", text("aligned")}}).recipe.refit == models::Refit::kNone);
  const SearchPlan measured =
      plan_of({{"--method", text("asymgqa")}, {"--fitness", text("accuracy")}});
  CHECK(measured.price.field() == "selection_error");
  CHECK(measured.recipe == models::MergeRecipe(models::find_merge("optimal")));
  CHECK(measured.selects_by_measuring());
  const SearchPlan dealt = plan_of({{"--method", text("kdgqa")}});
  CHECK(dealt.price.name() == "wse");
  CHECK(dealt.recipe == models::MergeRecipe());
  CHECK(dealt.uses_calibration());
  CHECK_FALSE(dealt.uses_gradients());
  CHECK_FALSE(plan_of({{"--fitness", text("wse")}, {"--merge", text("mean")}}).uses_calibration());
}

TEST_CASE("lists are ascending and distinct, caches from wide to narrow") {
  const SearchPlan plan =
      plan_of({{"--kv", std::vector<double>{0.75, 0.25, 0.75}},
               {"--freeze-layers", std::vector<int>{2, 0, 2}},
               {"--cache-dtype", std::vector<std::string>{"q4_0", "f16", "q4_0"}}});
  CHECK(plan.kv == std::vector<double>{0.25, 0.75});
  CHECK(plan.rules.frozen_layers == std::vector<int>{0, 2});
  CHECK(plan.measuring.caches ==
        std::vector<models::CacheType>{models::CacheType::kF16, models::CacheType::kQ4_0});
  CHECK(plan.options["cache_dtypes"] == std::vector<std::string>{"f16", "q4_0"});
  CHECK(plan_of({{"--cache-dtype", std::vector<std::string>{"none"}}}).measuring.caches.empty());
  CHECK(plan_of({{"--measure", 0}}).measuring.caches.empty());
}

TEST_CASE("a record keeps the order of the first ones and names every option that decides") {
  const nlohmann::ordered_json record = plan_of({}).options;
  std::vector<std::string> keys;
  for (const auto& [key, value] : record.items()) keys.push_back(key);
  const std::vector<std::string> first = {
      "method",       "fitness",       "merge",         "renorm",      "refit",       "reconstruct",
      "partitions",   "allocation",    "stage_two",     "dgqa",        "population",  "generations",
      "evaluations",  "patience",      "seconds",       "nodes",       "layout",      "min_groups",
      "group_limit",  "freeze_layers", "distance",      "iterations",  "accept",      "reset",
      "kv",           "cache_budget",  "cache_context", "cache_batch", "eval_tokens", "measure",
      "cache_dtypes", "dtype"};
  REQUIRE(keys.size() >= first.size());
  keys.resize(first.size());
  CHECK(keys == first);
  CHECK(record.dump() ==
        R"({"method":"exact","fitness":"fisher","merge":"optimal","renorm":false,"refit":"both",)"
        R"("reconstruct":0,"partitions":"joint","allocation":"proxy","stage_two":"member",)"
        R"("dgqa":"ema","population":200,"generations":200,"evaluations":0,"patience":0,)"
        R"("seconds":0.0,"nodes":10,"layout":"any","min_groups":1,"group_limit":0,)"
        R"("freeze_layers":[],"distance":"activation","iterations":5000,"accept":0.1,"reset":0.1,)"
        R"("kv":[],"cache_budget":"","cache_context":0,"cache_batch":1,"eval_tokens":0,)"
        R"("measure":24,"cache_dtypes":["q8_0","q4_0"],"dtype":"float32","width":["head"],)"
        R"("objectives":["bytes","loss"],"max_compute":0.0,"uptrain":"0"})");
  // Every option with a key stands in it, whichever part it belongs to.
  SearchRequest request;
  std::set<std::string> known = {"dtype"};
  for (const search::Option& option : request.options()) {
    if (!option.key.empty()) known.insert(option.key);
  }
  CHECK(known.size() == record.size());
  for (const std::string& key : known) CHECK(record.contains(key));
}

TEST_CASE(
    "groups are as wide as stock engines run where nothing of the default stands against it") {
  models::ModelConfig runs_wide = shape(8, 32);
  runs_wide.takes_wide_heads = true;
  const auto width_of = [&](const Said& said) { return plan_of(said, runs_wide).options["width"]; };
  const std::vector<std::string> stock = {"stock"};
  const std::vector<std::string> head = {"head"};
  CHECK(width_of({}) == stock);
  CHECK(plan_of({}, runs_wide).widths.multiples == std::vector<int>{1, 2, 4});
  CHECK(width_of({{"--kv", std::vector<double>{0.5}}, {"--layout", text("standard")}}) == stock);
  CHECK(width_of({{"--method", text("qcqa")}}) == stock);
  CHECK(width_of({{"--fitness", text("residual")}}) == stock);
  CHECK(width_of({{"--width", std::vector<std::string>{"head"}}}) == head);
  CHECK(width_of({{"--merge", text("optimal")}}) == head);
  CHECK(width_of({{"--fitness", text("wse")}}) == head);
  CHECK(width_of({{"--method", text("kdgqa")}}) == head);
  CHECK(width_of({{"--allocation", text("measured")}, {"--method", text("exact")}}) == head);
  CHECK(width_of({{"--partitions", text("independent")}}) == head);
  CHECK(width_of({{"--freeze-layers", std::vector<int>{0}}}) == head);
  models::ModelConfig normed = runs_wide;
  normed.query_key_norm = models::QueryKeyNorm::kByHead;
  CHECK(plan_of({}, normed).options["width"] == head);
}

TEST_CASE("an option of a method reaches the method, and all that share it") {
  SearchRequest request = asked({{"--seconds", 7.5},
                                 {"--population", 33},
                                 {"--iterations", 12},
                                 {"--method", text("exact")}});
  const auto held = [&](const char* method, const char* flag) {
    for (const auto& one : request.methods) {
      if (one->name() != method) continue;
      const std::vector<search::Option> own = one->options();
      return *search::value_of(*std::ranges::find(own, flag, &search::Option::flag));
    }
    return OptionValue(false);
  };
  CHECK(held("exact", "--seconds") == OptionValue(7.5));
  CHECK(held("qcqa", "--seconds") == OptionValue(7.5));
  CHECK(held("qcqa-ec", "--seconds") == OptionValue(7.5));
  CHECK(held("qcqa", "--population") == OptionValue(33));
  CHECK(held("qcqa-ec", "--population") == OptionValue(33));
  const SearchPlan plan = make_plan(std::move(request), shape(8, 32));
  CHECK(plan.options["seconds"] == 7.5);
  CHECK(plan.options["iterations"] == 12);
}

TEST_CASE("iterations that are left open depend on whether anything is measured") {
  CHECK(plan_of({{"--method", text("asymgqa")}}).options["iterations"] == 5000);
  CHECK(
      plan_of({{"--method", text("asymgqa")}, {"--fitness", text("loss")}}).options["iterations"] ==
      10);
}

TEST_CASE("numbers out of range and options that contradict each other are refused by name") {
  CHECK_THAT(refusal({{"--population", 1}}), tests::contains("--population"));
  CHECK_THAT(refusal({{"--seconds", -1.0}}), tests::contains("0 or more"));
  CHECK_THAT(refusal({{"--nodes", std::int64_t{0}}}), tests::contains("1 to 1000000"));
  CHECK_THAT(refusal({{"--reconstruct", -1}}), tests::contains("--reconstruct"));
  CHECK_THAT(refusal({{"--kv", std::vector<double>{0.5, 1.5}}}), tests::contains("1.5"));
  CHECK_THAT(refusal({{"--method", text("magic")}}), tests::contains("method is not known"));
  CHECK_THAT(refusal({{"--fitness", text("loss")}}),
             tests::contains("--method asymgqa, exhaustive"));
  for (const char* width : {"free", "1,2"}) {
    std::vector<std::string> words = {"free"};
    if (width == std::string("1,2")) words = {"1", "2"};
    CHECK_THAT(refusal({{"--allocation", text("measured")}, {"--width", words}}),
               tests::contains(std::string("--width ") + width));
  }
  CHECK_THAT(refusal({{"--allocation", text("measured")}, {"--method", text("random")}}),
             tests::contains("--method qcqa, qcqa-ec, exact, neighbour"));
  CHECK_THAT(refusal({{"--method", text("dgqa")}, {"--partitions", text("independent")}}),
             tests::contains("joint, for --method dgqa"));
  CHECK_THAT(refusal({{"--method", text("dgqa")}, {"--layout", text("standard")}}),
             tests::contains("standard"));
  CHECK_THAT(refusal({{"--method", text("kdgqa")}, {"--merge", text("optimal")}}),
             tests::contains("--merge"));
  CHECK_THAT(refusal({{"--merge", text("medoid")}, {"--renorm", true}}),
             tests::contains("--renorm"));
  CHECK_THAT(refusal({{"--selection", std::filesystem::path("x")}}),
             tests::contains("--selection"));
  CHECK_THAT(refusal({{"--eval-tokens", std::int64_t{5}}}), tests::contains("--eval FILE"));
  CHECK_THAT(refusal({{"--measure", 0}, {"--cache-dtype", std::vector<std::string>{"f16"}}}),
             tests::contains("--measure N"));
  CHECK_THAT(refusal({{"--cache-budget", text("lots")}}), tests::contains("size is not one"));
}
