#include "models/grouping/formats/grouping_format.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "models/files/json_file.hpp"
#include "models/grouping/stated_grouping.hpp"
#include "search/base/error.hpp"
#include "search/base/random.hpp"
#include "tests/models/grouping/format_scene.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/error_message.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace regroup;
using namespace regroup::models;
using namespace regroup::tests;
using nlohmann::json;
using search::Grouping;
using search::Partition;
using search::RandomKey;
using search::RandomStream;

namespace {

Grouping joint(const std::vector<const char*>& partitions) {
  Grouping grouping;
  for (const char* text : partitions) {
    const Partition partition = Partition::parse(text);
    grouping.layers.push_back({partition, partition});
  }
  return grouping;
}

const Grouping kTwoLayers = joint({"0 3 | 1 2", "0 1 2 3"});
const HeadCounts kFourHeads{2, 8, 4};

}  // namespace

TEST_CASE("random groupings come back from every format that keeps members") {
  RandomStream random{RandomKey(17)};
  for (const char* format : {"chai", "chai-layers", "csv"}) {
    const FormatScene scene(format);
    const bool apart = std::string_view(format) == "csv";
    for (int round = 0; round < 40; ++round) {
      const int heads = 1 + random.below(40);
      const Grouping grouping = random_grouping(random, [&]() -> search::LayerGrouping {
        const Partition keys = random_partition(heads, random);
        return {keys, apart ? random_partition(heads, random) : keys};
      });
      const HeadCounts counts = counts_of(grouping, 1 + random.below(3));
      CAPTURE(format, round);
      scene.write(grouping, counts);
      CHECK(scene.read_back() == grouping);
      CHECK(scene.read_back(counts) == grouping);
    }
  }
}

TEST_CASE("random neighbour groupings come back from block-configs") {
  RandomStream random{RandomKey(18)};
  const FormatScene scene("block-configs");
  for (int round = 0; round < 40; ++round) {
    const int parts = 1 + random.below(3);
    const int heads = parts << random.below(5);
    const Grouping grouping = random_grouping(random, [&]() -> search::LayerGrouping {
      int groups = heads;
      while (groups % 2 == 0 && random.chance(0.5)) groups /= 2;
      const Partition partition = Partition::neighbours(heads, groups);
      return {partition, partition};
    });
    const HeadCounts counts = counts_of(grouping, 1 + random.below(3));
    CAPTURE(round);
    scene.write(grouping, counts);
    CHECK(scene.read_back(counts) == grouping);
    if (counts.query_heads == counts.kv_heads) CHECK(scene.read_back() == grouping);
  }
}

TEST_CASE("each format writes what it is known for") {
  const auto texts = [](const char* format) {
    return write_grouping_as(find_grouping_format(format), kTwoLayers, kFourHeads);
  };
  const auto chai = texts("chai");
  REQUIRE(chai.size() == 1);
  CHECK(chai[0].name.empty());
  CHECK(chai[0].text == "[\n [[0,3],[1,2]],\n [[0,1,2,3]]\n]\n");
  const auto layers = texts("chai-layers");
  REQUIRE(layers.size() == 2);
  CHECK(layers[0].name == "layer_0_out_cluster.json");
  CHECK(layers[0].text == "[[0,3],[1,2]]\n");
  CHECK(layers[1].name == "layer_1_out_cluster.json");
  CHECK(layers[1].text == "[[0,1,2,3]]\n");
  const auto table = texts("csv");
  REQUIRE(table.size() == 1);
  CHECK(table[0].text ==
        "head,key_group,value_group\nL0H0,0,0\nL0H1,1,1\nL0H2,1,1\nL0H3,0,0\n"
        "L1H0,0,0\nL1H1,0,0\nL1H2,0,0\nL1H3,0,0\n");
  const json blocks = json::parse(texts("block-configs").at(0).text);
  CHECK(blocks["num_key_value_heads_per_layer"] == json{2, 1});
  CHECK(blocks["num_attention_heads"] == 8);
  CHECK(blocks["block_configs"][0]["attention"] ==
        json{{"n_heads_in_group", 4}, {"no_op", false}, {"replace_with_linear", false}});
  CHECK(blocks["block_configs"][1]["attention"]["n_heads_in_group"] == 8);
}

TEST_CASE("what a format cannot say is refused and names the layer") {
  Grouping apart = kTwoLayers;
  apart.layers[1].values = Partition::singletons(4);
  for (const char* format : {"chai", "chai-layers", "block-configs"}) {
    const std::string message = FormatScene(format).refuses_to_write(apart, kFourHeads);
    CHECK_THAT(message, contains("layer 1"));
    CHECK_THAT(message, contains("csv"));
  }
  CHECK_NOTHROW(FormatScene("csv").write(apart, kFourHeads));
  Grouping dealt = kTwoLayers;
  dealt.layers[1].query_to_group.assign(8, search::Group(0));
  for (const char* format : {"chai", "chai-layers", "block-configs", "csv"}) {
    const std::string message = FormatScene(format).refuses_to_write(dealt, kFourHeads);
    CHECK_THAT(message, contains("layer 1"));
    CHECK_THAT(message, contains("query_to_group"));
  }
  Grouping wide = kTwoLayers;
  wide.layers[1].widths = search::GroupWidths{8, {16}, {16}};
  for (const char* format : {"chai", "chai-layers", "block-configs"}) {
    const std::string message = FormatScene(format).refuses_to_write(wide, kFourHeads);
    CHECK_THAT(message, contains("layer 1") && contains("how wide a group is"));
    CHECK_THAT(message, contains("--format csv"));
  }
  const FormatScene blocks("block-configs");
  const std::string uneven = blocks.refuses_to_write(joint({"0 1 | 2 3", "0 | 1 2 3"}), kFourHeads);
  CHECK_THAT(uneven, contains("layer 1"));
  CHECK_THAT(uneven, contains("equal sizes"));
  CHECK_THAT(blocks.refuses_to_write(kTwoLayers, {.layers = 2, .kv_heads = 4}),
             contains("query heads"));
  CHECK_THAT(error_message<InputError>([] { find_grouping_format("xml"); }),
             contains("chai, chai-layers, block-configs, csv"));
}

TEST_CASE("clusters are read as groups or as labels") {
  const FormatScene scene("chai");
  CHECK(scene.read("[[[0, 3], [1, 2]], [[3, 2, 1, 0]]]") == kTwoLayers);
  CHECK(scene.read("[[7, 2, 2, 7], [[0, 1, 2, 3]]]", kFourHeads) == kTwoLayers);
  CHECK(FormatScene("chai-layers").read("[[0, 1, 1, 0], [0, 0, 0, 0]]") == kTwoLayers);
}

TEST_CASE("broken cluster files are refused, each with its own message") {
  const FormatScene scene("chai");
  CHECK_THAT(scene.refusal("[[[0, 3], [1"), contains("JSON"));
  CHECK_THAT(scene.refusal("{}"), contains("list of layers"));
  CHECK_THAT(scene.refusal("[]"), contains("list of layers"));
  CHECK_THAT(scene.refusal("[[]]"), contains("layer 0"));
  CHECK_THAT(scene.refusal("[[[0, 1], [1, 2]]]"), contains("overlap"));
  CHECK_THAT(scene.refusal("[[[0, 1], [3]]]"), contains("head 2 missing"));
  CHECK_THAT(scene.refusal("[[[0, 1], []]]"), contains("no heads"));
  CHECK_THAT(scene.refusal("[[[0, 1], [2.5]]]"), contains("2.5"));
  CHECK_THAT(scene.refusal("[[[0, -1]]]"), contains("-1"));
  CHECK_THAT(scene.refusal("[[[0, NaN]]]"), contains("JSON"));
  CHECK_THAT(scene.refusal("[[[0, 99999999999999999999]]]"), contains("integer"));
  CHECK_THAT(scene.refusal("[[[0, 5000]]]"), contains("out of range"));
  CHECK_THAT(scene.refusal("[[[0, \"1\"]]]"), contains("integer"));
  CHECK_THAT(scene.refusal("[[0, 1, -1]]"), contains("head 2"));
  CHECK_THAT(scene.refusal("[[0, 1, [2]]]"), contains("head 2"));
  CHECK_THAT(scene.refusal("[[0, 1], [0, 1, 1]]"), contains("3 heads"));
  CHECK_THAT(scene.refusal("[[0, 1, 1, 0]]", kFourHeads), contains("number of layers"));
  CHECK_THAT(scene.refusal("[[0, 1], [0, 0]]", kFourHeads), contains("number of KV heads"));
  CHECK_THAT(scene.refusal("[[[0, 1]], [[0, 1]]]", kFourHeads), contains("head 2 missing"));
  CHECK_THAT(error_message<InputError>([&] { find_grouping_format("chai").read("no file", {}); }),
             contains("no file"));
}

TEST_CASE("a directory of clusters has a file for every layer") {
  const FormatScene scene("chai-layers");
  scene.write(kTwoLayers, kFourHeads);
  CHECK(find_grouping_format("chai").read(scene.output(), kFourHeads) == kTwoLayers);
  std::filesystem::remove(scene.output() / "layer_0_out_cluster.json");
  CHECK_THAT(error_message<InputError>([&] { scene.read_back(); }),
             contains("no layer_0_out_cluster.json"));
  scene.scratch().write("g/layer_0_out_cluster.json", "[[0, 1, 2], [2, 3]]");
  CHECK_THAT(error_message<InputError>([&] { scene.read_back(); }), contains("overlap"));
  scene.scratch().write("g/layer_0_out_cluster.json", "[[0, 1, 2, 3]]");
  scene.scratch().write("g/layer_3_out_cluster.json", "[[0, 1, 2, 3]]");
  CHECK_THAT(error_message<InputError>([&] { scene.read_back(); }),
             contains("no layer_2_out_cluster.json"));
  std::filesystem::create_directory(scene.scratch().path() / "empty");
  CHECK_THAT(error_message<InputError>(
                 [&] { find_grouping_format("chai").read(scene.scratch().path() / "empty", {}); }),
             contains("no layer_0_out_cluster.json"));
}

TEST_CASE("tables of heads are read in the forms of other tools") {
  const FormatScene scene("csv");
  const Grouping expected{{{Partition::parse("0 1"), Partition::parse("0 | 1")}}};
  CHECK(scene.read("head,key_group,value_group\nL0H0,4,0\nL0H1,4,9\n") == expected);
  CHECK(scene.read("\xEF\xBB\xBFhead,key_group,value_group\r\nL0H1,0,0\r\n\r\nL0H0,0,1") ==
        expected);
  CHECK(scene.read("L0H0,3,0\nL0H1,3,1\n") == expected);
  CHECK(scene.read("score,value_group,head,key_group\n0.5,2,\"L0H0\",1\n, 3 , L0H1,1\n") ==
        expected);
  const Grouping shared = joint({"0 | 1"});
  CHECK(scene.read("layer,head,cluster,role\n0,0,1,a\n0,1,0,b\n") == shared);
  CHECK(scene.read("layer,head,group\n0,1,1\n0,0,0\n") == shared);
  CHECK(scene.read("L0H0,1\nL0H1,0\n") == shared);
}

TEST_CASE("broken tables are refused, each with its own message") {
  const FormatScene scene("csv");
  CHECK_THAT(scene.refusal(""), contains("no rows"));
  CHECK_THAT(scene.refusal("head,group\n"), contains("no rows"));
  CHECK_THAT(scene.refusal("head,colour\nL0H0,1\n"), contains("column is missing"));
  CHECK_THAT(scene.refusal("head,key_group\nL0H0,1\n"), contains("column is missing"));
  CHECK_THAT(scene.refusal("layer,group\n0,1\n"), contains("no column head"));
  CHECK_THAT(scene.refusal("0,0,1\n"), contains("column is missing"));
  CHECK_THAT(scene.refusal("L0H0\n"), contains("1 fields"));
  CHECK_THAT(scene.refusal("head,group\nL0H0,1\nL0H1\n"), contains("line 3"));
  CHECK_THAT(scene.refusal("head,group\nL0H0,1,2\n"), contains("number of fields"));
  CHECK_THAT(scene.refusal("head,group\n3,1\n"), contains("L0H3"));
  CHECK_THAT(scene.refusal("head,group\nL0H0x,1\n"), contains("L0H0x"));
  for (const char* number : {"-1", "1.0", "nan", "", "99999999999999", "1024", "+1", "0x1"}) {
    CHECK_THAT(scene.refusal(fmt::format("head,group\nL0H0,{}\n", number)),
               contains(fmt::format("\"{}\"", number)));
  }
  CHECK_THAT(scene.refusal("L0H0,1\nL0H0,1\n"), contains("listed twice"));
  CHECK_THAT(scene.refusal("L0H0,1\nL0H2,1\n"), contains("no head 1"));
  CHECK_THAT(scene.refusal("L0H0,1\nL2H0,1\n"), contains("no layer 1"));
  CHECK_THAT(scene.refusal("L999999H0,1\n"), contains("no layer 0"));
  CHECK_THAT(scene.refusal("L0H0,1\nL1H0,1\nL1H1,1\n"), contains("2 heads"));
  CHECK_THAT(scene.refusal("L0H0,1\n", kFourHeads), contains("number of layers"));
}

TEST_CASE("a config of blocks is read by its sizes") {
  const FormatScene scene("block-configs");
  const Grouping expected = joint({"0 1 | 2 3", "0 1 2 3"});
  const json blocks = {
      {{"attention", {{"n_heads_in_group", 4}, {"no_op", false}}}, {"ffn", {{"ffn_mult", 2.6}}}},
      {{"attention", {{"n_heads_in_group", 8}}}}};
  CHECK(scene.read(json{{"block_configs", blocks}}.dump(), kFourHeads) == expected);
  const json whole = {{"num_attention_heads", 8},
                      {"num_key_value_heads", nullptr},
                      {"num_hidden_layers", 2},
                      {"block_configs", blocks}};
  CHECK(scene.read(whole.dump(), kFourHeads) == expected);
  CHECK(scene.read(whole.dump()) == joint({"0 1 2 3 | 4 5 6 7", "0 1 2 3 4 5 6 7"}));
  const json listed = {{"num_attention_heads", 4}, {"num_key_value_heads_per_layer", {2, 1}}};
  CHECK(scene.read(listed.dump()) == expected);
}

TEST_CASE("broken configs of blocks are refused, each with its own message") {
  const FormatScene scene("block-configs");
  const auto refusal = [&](const json& document) {
    return scene.refusal(document.dump(), kFourHeads);
  };
  const auto of_block = [&](const json& attention) {
    const json good = {{"attention", {{"n_heads_in_group", 2}}}};
    return refusal({{"block_configs", {good, {{"attention", attention}}}}});
  };
  CHECK_THAT(scene.refusal("{\"block_con"), contains("JSON"));
  CHECK_THAT(refusal(json::array()), contains("object"));
  CHECK_THAT(refusal({{"hidden_size", 8}}), contains("neither"));
  CHECK_THAT(refusal({{"block_configs", json::array()}}), contains("no entries"));
  CHECK_THAT(refusal({{"block_configs", {1, 2}}}), contains("element 0"));
  CHECK_THAT(of_block({{"n_heads_in_group", 3}}), contains("divisor of 8"));
  CHECK_THAT(of_block({{"n_heads_in_group", 1}}), contains("layer 1"));
  CHECK_THAT(of_block({{"n_heads_in_group", 0}}), contains("element 1"));
  CHECK_THAT(of_block({{"n_heads_in_group", 16}}), contains("1 to 8"));
  CHECK_THAT(of_block({{"n_heads_in_group", 2.5}}), contains("2.5"));
  CHECK_THAT(of_block({{"n_heads_in_group", nullptr}}), contains("missing"));
  CHECK_THAT(of_block({{"n_heads_in_group", nullptr}, {"no_op", true}}), contains("no attention"));
  CHECK_THAT(of_block({{"n_heads_in_group", nullptr}, {"replace_with_linear", true}}),
             contains("replace_with_linear"));
  CHECK_THAT(refusal({{"num_key_value_heads_per_layer", {2, 3}}}), contains("divides 4"));
  CHECK_THAT(refusal({{"num_key_value_heads_per_layer", {2, 2, 2}}}), contains("number of layers"));
  CHECK_THAT(refusal({{"num_key_value_heads_per_layer", {2, 2}}, {"num_attention_heads", 16}}),
             contains("16"));
  CHECK_THAT(refusal({{"num_key_value_heads_per_layer", {2, 2}}, {"num_hidden_layers", 3}}),
             contains("num_hidden_layers"));
  const json block = {{"attention", {{"n_heads_in_group", 2}}}};
  CHECK_THAT(
      refusal({{"num_key_value_heads_per_layer", {2, 2}}, {"block_configs", {block, block}}}),
      contains("different KV heads"));
  CHECK_THAT(scene.refusal(json{{"num_key_value_heads_per_layer", {2}}}.dump()),
             contains("num_attention_heads"));
}

TEST_CASE("a grouping says its own counts where no model is given") {
  const TemporaryDirectory scratch;
  const auto read = [&](const json& more) {
    json document = {{"format", "regroup.grouping"},
                     {"version", 1},
                     {"layers",
                      {{{"index", 1}, {"key_groups", {{3, 2, 1, 0}}}},
                       {{"index", 0}, {"key_groups", {{0, 3}, {1, 2}}}}}}};
    document.update(more);
    return read_stated_grouping(scratch.write("g.json", document.dump()));
  };
  const auto refusal = [&](const json& more) {
    return error_message<InputError>([&] { read(more); });
  };
  const StatedGrouping alone = read(json::object());
  CHECK(alone.grouping == kTwoLayers);
  CHECK(alone.heads.layers == 2);
  CHECK(alone.heads.kv_heads == 4);
  CHECK(alone.heads.query_heads == 0);
  CHECK(read({{"model", {{"query_heads", 8}}}}).heads.query_heads == 8);
  CHECK_THAT(refusal({{"model", {{"kv_heads", 5}}}}), contains("head 4 missing"));
  CHECK_THAT(refusal({{"model", {{"layers", 3}}}}), contains("no layer 2"));
  CHECK_THAT(refusal({{"model", {{"query_heads", 6}}}}), contains("6 and 4"));
  CHECK_THAT(refusal({{"model", {{"kv_heads", 0}}}}), contains("kv_heads"));
  CHECK_THAT(refusal({{"layers", json::array()}}), contains("no layers"));
  CHECK_THAT(refusal({{"layers", {1}}}), contains("object"));
  CHECK_THAT(refusal({{"version", 3}}), contains("version"));
  const json wide = {{{"index", 0}, {"key_groups", {{0, 3}, {1, 2}}}, {"key_widths", {8, 4}}},
                     {{"index", 1}, {"key_groups", {{0, 1, 2, 3}}}}};
  CHECK_THAT(refusal({{"version", 2}, {"layers", wide}}), contains("head_dim"));
  const StatedGrouping stated =
      read({{"version", 2}, {"layers", wide}, {"model", {{"head_dim", 4}}}});
  CHECK(stated.grouping.layers[0].widths == search::GroupWidths{4, {8, 4}, {4, 4}});
  CHECK_FALSE(stated.grouping.layers[1].widths);
}
