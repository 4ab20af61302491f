#include "models/grouping/grouping_file.hpp"

#include <functional>

#include "models/merge/operators/merge_table.hpp"
#include "search/base/error.hpp"
#include "tests/fixtures/tiny_llama.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/error_message.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace regroup;
using namespace regroup::models;
using namespace regroup::tests;
using nlohmann::json;
using search::Grouping;
using search::Partition;

namespace {

/// A directory with a tiny model and a place for grouping files.
class Scene {
 public:
  Scene() { TinyLlama().write(scratch_.path() / "tiny"); }

  PretrainedModel model() const { return open_model(scratch_.path() / "tiny"); }
  GroupingFile read(const json& document) const {
    return read_grouping_file(scratch_.write("g.json", document.dump()), model());
  }
  std::string refusal(const json& document) const {
    return error_message<InputError>([&] { read(document); });
  }

 private:
  TemporaryDirectory scratch_;
};

json minimal() {
  return {{"format", "regroup.grouping"},
          {"version", 1},
          {"layers",
           {{{"index", 1}, {"key_groups", {{0, 1}, {2, 3}}}},
            {{"index", 0}, {"key_groups", {{0, 1, 2, 3}}}, {"value_groups", {{3}, {0, 1, 2}}}}}}};
}

}  // namespace

TEST_CASE("a hand-written file works, values follow keys, the merge is the mean") {
  const GroupingFile file = Scene().read(minimal());
  REQUIRE(file.grouping.layers.size() == 2);
  CHECK(file.grouping.layers[0].keys == Partition::one_group(4));
  CHECK(file.grouping.layers[0].values == Partition::parse("0 1 2 | 3"));
  CHECK(file.grouping.layers[1].keys == Partition::parse("0 1 | 2 3"));
  CHECK(file.grouping.layers[1].shares_partition());
  CHECK((file.recipe == MergeRecipe()));
  CHECK_FALSE(file.calibration);
}

TEST_CASE("what is written reads back, byte for byte the same each time") {
  const Scene scene;
  const Grouping grouping{{{Partition::parse("0 3 | 1 2"), Partition::parse("0 | 1 2 3")},
                           {Partition::one_group(4), Partition::singletons(4)}}};
  GroupingNotes notes;
  notes.objectives["wse"] = 1.25;
  notes.method = "qcqa-ac";
  notes.fitness = "wse";
  notes.seed = 7;
  const std::string text = grouping_text(grouping, find_merge("first"), scene.model(), notes);
  CHECK(text == grouping_text(grouping, find_merge("first"), scene.model(), notes));
  const GroupingFile file = scene.read(json::parse(text));
  CHECK(file.grouping == grouping);
  CHECK((file.recipe == MergeRecipe(find_merge("first"))));
}

TEST_CASE("a recipe and the calibration it names read back") {
  const Scene scene;
  const auto grouping = Grouping::uniform(2, Partition::parse("0 1 | 2 3"));
  GroupingNotes notes;
  notes.calibration = CalibrationReference{"../calibration.safetensors", "0123"};
  for (const Refit refit : {Refit::kNone, Refit::kOutput, Refit::kQuery, Refit::kBoth}) {
    for (const bool renorm : {false, true}) {
      const MergeRecipe recipe(find_merge("aligned"), renorm, refit, renorm ? 60 : 0);
      const GroupingFile file =
          scene.read(json::parse(grouping_text(grouping, recipe, scene.model(), notes)));
      CHECK((file.recipe == recipe));
      REQUIRE(file.calibration);
      CHECK(file.calibration->file == "../calibration.safetensors");
      CHECK(file.calibration->sha256 == "0123");
    }
  }
  json document = json::parse(grouping_text(grouping, MergeRecipe(), scene.model(), notes));
  document["calibration"] = {{"sha256", "0123"}};
  CHECK_THAT(scene.refusal(document), contains("calibration"));
  document["calibration"] = nullptr;
  document["reconstruct"] = -1;
  CHECK_THAT(scene.refusal(document), contains("reconstruct"));
}

TEST_CASE("broken files are refused, each with its own message") {
  const Scene scene;
  const auto with = [](const std::function<void(json&)>& change) {
    json document = minimal();
    change(document);
    return document;
  };
  const auto refusal = [&](const std::function<void(json&)>& change) {
    return scene.refusal(with(change));
  };
  CHECK_THAT(scene.refusal(json::array()), contains("object"));
  CHECK_THAT(refusal([](json& d) { d.erase("format"); }), contains("format"));
  CHECK_THAT(refusal([](json& d) { d["version"] = 3; }), contains("version"));
  CHECK_THAT(refusal([](json& d) { d.erase("layers"); }), contains("layers"));
  CHECK_THAT(refusal([](json& d) { d["layers"].erase(0); }), contains("no layer 1"));
  CHECK_THAT(refusal([](json& d) { d["layers"][0]["index"] = 0; }), contains("listed twice"));
  CHECK_THAT(refusal([](json& d) { d["layers"][0]["index"] = 2; }), contains("index"));
  CHECK_THAT(refusal([](json& d) {
               d["layers"][0]["key_groups"] = {{0, 1}, {1, 2, 3}};
             }),
             contains("groups overlap"));
  CHECK_THAT(refusal([](json& d) {
               d["layers"][0]["key_groups"] = {{0, 1}, {3}};
             }),
             contains("head 2 missing"));
  CHECK_THAT(refusal([](json& d) {
               d["layers"][0]["key_groups"] = {{0, 1}, {2, 3, 4}};
             }),
             contains("out of range"));
  CHECK_THAT(refusal([](json& d) {
               d["layers"][0]["key_groups"] = {0, 1, 2, 3};
             }),
             contains("not a list of heads"));
  CHECK_THAT(refusal([](json& d) {
               d["layers"][0]["key_groups"] = {{0, 1}, {2, 3.5}};
             }),
             contains("3.5"));
  CHECK_THAT(refusal([](json& d) { d["merge"] = "median"; }), contains("mean, first"));
  for (const char* merge : {"first", "medoid", "optimal"}) {
    CHECK_THAT(refusal([&](json& d) {
                 d["merge"] = merge;
                 d["renorm"] = true;
               }),
               contains("renorm"));
  }
  CHECK_THAT(refusal([](json& d) { d["renorm"] = 1; }), contains("renorm"));
  CHECK_THAT(refusal([](json& d) { d["refit"] = "twice"; }), contains("refit"));
  CHECK_THAT(refusal([](json& d) { d["kv"]["ratio"] = 0.9; }), contains("KV size"));
}

TEST_CASE("widths of groups read back, in version 2") {
  const Scene scene;
  const Partition keys = Partition::parse("0 3 | 1 2");
  const Grouping wide{{{keys, Partition::one_group(4), {}, search::GroupWidths{4, {8, 4}, {10}}},
                       {keys, keys, {}, search::GroupWidths{4, {6, 6}, {8, 8}, true}}}};
  const std::string text = grouping_text(wide, find_merge("optimal"), scene.model(), {});
  const json document = json::parse(text);
  CHECK(document.at("version") == 2);
  CHECK(document.at("kv").at("ratio") == (8 + 4 + 10 + 12 + 16) / 64.0);
  CHECK(document.at("kv").at("bytes_per_token") == 4 * (8 + 4 + 10 + 12 + 16));
  CHECK(scene.read(document).grouping == wide);
  // Groups in another order, and widths with them.
  json other = document;
  other["layers"][0]["key_groups"] = {{2, 1}, {3, 0}};
  other["layers"][0]["key_widths"] = {4, 8};
  CHECK(scene.read(other).grouping == wide);
  // As wide as heads: version 1 says the same.
  const Grouping narrow{{{keys, keys}, {keys, keys}}};
  CHECK(
      json::parse(grouping_text(narrow, find_merge("optimal"), scene.model(), {})).at("version") ==
      1);
  json heads = json::parse(grouping_text(narrow, find_merge("optimal"), scene.model(), {}));
  heads["version"] = 2;
  heads["layers"][0]["key_widths"] = {4, 4};
  CHECK(scene.read(heads).grouping == narrow);
}

TEST_CASE("widths that groups cannot have are refused with those that they can") {
  const Scene scene;
  const auto refusal = [&](const char* field, const json& value, const char* merge = "optimal") {
    json document = minimal();
    document["version"] = 2;
    document["merge"] = merge;
    document["layers"][0][field] = value;
    return scene.refusal(document);
  };
  CHECK_THAT(refusal("key_widths", {7, 8}), contains("even number from 2 to 8"));
  CHECK_THAT(refusal("key_widths", {8, 10}), contains("8"));
  CHECK_THAT(refusal("value_widths", {8}), contains("2 entries"));
  CHECK_THAT(refusal("value_widths", {8, 0}), contains("value_widths"));
  CHECK_THAT(refusal("key_widths", {6, 8}), contains("multiples of 4"));
  CHECK_THAT(refusal("key_widths", {8, 8}, "mean"), contains("--merge optimal"));
  json document = minimal();
  document["version"] = 2;
  document["layers"][0]["key_widths"] = {8, 8};
  document["layers"][0]["query_to_group"] = {0, 0, 1, 1};
  CHECK_THAT(scene.refusal(document), contains("query_to_group"));
}

TEST_CASE("an allocation reads back, as places in the groups as they are listed") {
  const Scene scene;
  json document = minimal();
  document["layers"][0]["key_groups"] = {{2, 3}, {1, 0}};
  document["layers"][0]["query_to_group"] = {0, 1, 1, 1};
  document["layers"][1]["query_to_group"] = nullptr;
  const Grouping read = scene.read(document).grouping;
  CHECK_FALSE(read.layers[0].has_allocation());
  const Partition pairs = Partition::parse("0 1 | 2 3");
  using search::Group;
  const search::LayerGrouping expected{pairs, pairs, {Group(1), Group(0), Group(0), Group(0)}};
  CHECK(read.layers[1] == expected);
  const std::string text = grouping_text(read, MergeRecipe(), scene.model(), {});
  CHECK_THAT(text, contains("\"query_to_group\":[1,0,0,0]"));
  CHECK(scene.read(json::parse(text)).grouping == read);
}

TEST_CASE("the KV size of an allocation counts the groups that serve a query head") {
  const Scene scene;
  Grouping grouping = Grouping::uniform(2, Partition::parse("0 1 | 2 | 3"));
  for (search::LayerGrouping& layer : grouping.layers) {
    layer.query_to_group.assign(4, search::Group(2));
  }
  json document = json::parse(grouping_text(grouping, MergeRecipe(), scene.model(), {}));
  CHECK(document["kv"]["ratio"] == 0.25);
  CHECK(document["kv"]["bytes_per_token"] == 2 * 2 * 4 * 4);
  CHECK(scene.read(document).grouping == grouping);
  document["kv"]["ratio"] = 0.75;  // that of the pooled groups
  CHECK_THAT(scene.refusal(document), contains("KV size"));
}

TEST_CASE("broken allocations are refused, each with its own message") {
  const Scene scene;
  const auto refusal = [&](const json& allocation) {
    json document = minimal();
    document["layers"][0]["query_to_group"] = allocation;
    return scene.refusal(document);
  };
  CHECK_THAT(refusal({0, 0, 1}), contains("3 entries"));
  CHECK_THAT(refusal({0, 0, 1, 1, 1}), contains("4 entries"));
  CHECK_THAT(refusal(json::array()), contains("0 entries"));
  CHECK_THAT(refusal({0, 0, 1, 2}), contains("0 to 1"));
  CHECK_THAT(refusal({0, 0, 1, -1}), contains("0 to 1"));
  CHECK_THAT(refusal({0, 0, 1, 0.5}), contains("0.5"));
  CHECK_THAT(refusal({0, 0, 1, nullptr}), contains("null"));
  CHECK_THAT(refusal(7), contains("query_to_group"));
  json apart = minimal();
  apart["layers"][1]["query_to_group"] = {0, 0, 0, 0};
  CHECK_THAT(scene.refusal(apart), contains("value_groups absent or equal"));
}

TEST_CASE("another model's file is refused with both names") {
  const Scene scene;
  const auto refusal = [&](const json& model) {
    json document = minimal();
    document["model"] = model;
    return scene.refusal(document);
  };
  const std::string by_name = refusal({{"name", "other"}});
  CHECK_THAT(by_name, contains("other"));
  CHECK_THAT(by_name, contains("tiny"));
  const std::string by_heads = refusal({{"name", "other"}, {"kv_heads", 32}});
  CHECK_THAT(by_heads, contains("other"));
  CHECK_THAT(by_heads, contains("tiny"));
  CHECK_THAT(by_heads, contains("32"));
  CHECK_THAT(refusal({{"name", "other"}, {"weights_sha256", std::string(64, '0')}}),
             contains("other"));
  CHECK_THAT(refusal({{"architecture", "GPT2LMHeadModel"}}), contains("LlamaForCausalLM"));
  // The same weights under another directory name are the same model.
  json renamed = minimal();
  renamed["model"] = {{"name", "renamed"},
                      {"weights_sha256", scene.model().checkpoint.weights_sha256()}};
  CHECK_NOTHROW(scene.read(renamed));
}
