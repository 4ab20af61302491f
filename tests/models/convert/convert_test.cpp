#include "models/convert/convert.hpp"

#include <cmath>
#include <span>
#include <string>

#include "models/elements/conversion.hpp"
#include "models/files/json_file.hpp"
#include "models/language_model/language_model.hpp"
#include "models/language_model/merger.hpp"
#include "models/merge/operators/merge_table.hpp"
#include "models/overlay/weight_overlay.hpp"
#include "models/tensors/tensors.hpp"
#include "search/base/error.hpp"
#include "tests/fixtures/random_checkpoint.hpp"
#include "tests/fixtures/tiny_family.hpp"
#include "tests/fixtures/tiny_llama.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/error_message.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace regroup;
using namespace regroup::models;
using namespace regroup::tests;
using search::Grouping;
using search::Partition;

namespace {

const std::vector<std::int32_t> kIds = {1, 5, 3, 19, 0, 7, 7, 12, 4};

LanguageModel load(const std::filesystem::path& directory) {
  return {std::make_shared<const PretrainedModel>(open_model(directory)), ComputeOptions{}};
}

/// Converts, loads the result and returns the largest difference of its logits to those of the
/// source computed with the grouping.
double round_trip(const TinyLlama& shape, const Grouping& grouping, Layout layout,
                  const TemporaryDirectory& scratch) {
  shape.write(scratch.path() / "source");
  const auto target = scratch.path() / "converted";
  std::filesystem::create_directories(target);
  const auto source =
      std::make_shared<const PretrainedModel>(open_model(scratch.path() / "source"));
  search::SilentProgress silent;
  convert_checkpoint(*source, *merge_plainly(source, grouping, find_merge("mean")), layout, {},
                     target, {}, silent);
  const auto expected =
      load(scratch.path() / "source").grouped(grouping, find_merge("mean")).logits(kIds);
  const auto found = load(target).logits(kIds);
  REQUIRE(found.size() == expected.size());
  double largest = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    largest = std::max<double>(largest, std::abs(found[i] - expected[i]));
  }
  return largest;
}

/// Of a model with one query head for each KV head.
ModelHeadMaps maps_of(const Grouping& grouping) {
  ModelHeadMaps maps;
  for (const search::LayerGrouping& layer : grouping.layers) maps.push_back(head_maps(layer, 1));
  return maps;
}

int stored_heads(const TemporaryDirectory& scratch) {
  return open_model(scratch.path() / "converted").config.kv_heads;
}

}  // namespace

TEST_CASE("standard layout: permuted query heads give the same logits with fewer KV heads") {
  TinyLlama shape;
  shape.bias = true;
  TinyLlama shared = shape;  // already GQA: two query heads move with each KV head
  shared.query_heads = 8;
  TinyLlama narrow = shape;
  narrow.dtype = DType::kBF16;
  const Grouping grouping{{{Partition::parse("0 3 | 1 2"), Partition::parse("0 3 | 1 2")},
                           {Partition::parse("0 2 | 1 3"), Partition::parse("0 2 | 1 3")}}};
  for (const TinyLlama& model : {shape, shared, narrow, TinyLlama::qwen2()}) {
    const TemporaryDirectory scratch;
    CHECK(default_layout(maps_of(grouping), {}) == Layout::kStandard);
    CHECK(round_trip(model, grouping, Layout::kStandard, scratch) < 1e-5);
    CHECK(stored_heads(scratch) == 2);
  }
}

TEST_CASE("expand layout holds any grouping") {
  const Grouping grouping{{{Partition::parse("0 3 | 1 2"), Partition::parse("0 | 1 2 3")},
                           {Partition::one_group(4), Partition::parse("0 1 | 2 | 3")}}};
  TinyLlama shape;
  shape.bias = true;
  const TemporaryDirectory scratch;
  CHECK(default_layout(maps_of(grouping), {}) == Layout::kExpand);
  CHECK(round_trip(shape, grouping, Layout::kExpand, scratch) < 1e-5);
  CHECK(stored_heads(scratch) == 4);
}

TEST_CASE("a layout refuses what it cannot hold and names one that can") {
  const Partition pairs = Partition::parse("0 1 | 2 3");
  const Partition uneven = Partition::parse("0 | 1 2 3");
  const auto refusal = [](const Grouping& grouping) {
    return error_message<InputError>(
        [&] { require_holds(Layout::kStandard, maps_of(grouping), {}); });
  };
  CHECK_THAT(refusal(Grouping::uniform(2, uneven)), contains("expand"));
  CHECK_THAT(refusal({{{pairs, pairs}, {Partition::one_group(4), Partition::one_group(4)}}}),
             contains("expand"));
  CHECK_THAT(refusal({{{pairs, Partition::parse("0 2 | 1 3")}}}), contains("expand"));
  CHECK_NOTHROW(require_holds(Layout::kStandard, maps_of(Grouping::uniform(2, pairs)), {}));
  CHECK_THAT(error_message<InputError>([] { find_layout("pads"); }),
             contains("standard, per-layer, pad, expand"));
}

namespace {

/// The same pooled groups and the same allocation in both layers.
Grouping allocated(const Partition& pooled, const std::vector<int>& query_to_group) {
  Grouping grouping = Grouping::uniform(2, pooled);
  for (search::LayerGrouping& layer : grouping.layers) {
    layer.query_to_group = {query_to_group.begin(), query_to_group.end()};
  }
  return grouping;
}

}  // namespace

TEST_CASE("standard layout holds an allocation whose groups serve as many query heads each") {
  struct Case {
    int query_heads;
    Grouping grouping;
    int stored;
  };
  const std::vector<Case> cases = {
      // Unlike pools, like service; query heads out of order; a pool that serves none.
      {4, allocated(Partition::parse("0 | 1 2 3"), {0, 0, 1, 1}), 2},
      {4, allocated(Partition::parse("0 1 | 2 3"), {1, 0, 0, 1}), 2},
      {4, allocated(Partition::parse("0 | 1 2 | 3"), {0, 0, 2, 2}), 2},
      {8, allocated(Partition::parse("0 1 | 2 3"), {0, 1, 0, 0, 0, 1, 1, 1}), 2},
      {8, allocated(Partition::singletons(4), {2, 2, 2, 2, 2, 2, 2, 2}), 1}};
  for (const Case& c : cases) {
    TinyLlama shape;
    shape.bias = true;
    shape.query_heads = c.query_heads;
    const TemporaryDirectory scratch;
    CHECK(default_layout(maps_of(c.grouping), {}) == Layout::kStandard);
    CHECK(round_trip(shape, c.grouping, Layout::kStandard, scratch) < 1e-5);
    CHECK(stored_heads(scratch) == c.stored);
  }
}

TEST_CASE("expand layout holds any allocation") {
  struct Case {
    int query_heads;
    Grouping grouping;
    int stored;
  };
  const std::vector<Case> cases = {
      {4, allocated(Partition::parse("0 1 | 2 3"), {0, 0, 0, 1}), 4},
      // Two query heads to each source head: only where they part is one stored for each.
      {8, allocated(Partition::parse("0 1 | 2 3"), {0, 0, 0, 0, 0, 0, 1, 1}), 4},
      {8, allocated(Partition::parse("0 1 | 2 3"), {0, 0, 0, 0, 0, 1, 1, 1}), 8}};
  for (const Case& c : cases) {
    TinyLlama shape;
    shape.bias = true;
    shape.query_heads = c.query_heads;
    const TemporaryDirectory scratch;
    CHECK(default_layout(maps_of(c.grouping), {}) == Layout::kPad);
    CHECK(round_trip(shape, c.grouping, Layout::kExpand, scratch) < 1e-5);
    CHECK(stored_heads(scratch) == c.stored);
  }
  // One layer with an allocation that parts a head's queries, one without.
  Grouping mixed = cases.back().grouping;
  mixed.layers[0] = {Partition::parse("0 3 | 1 2"), Partition::parse("0 | 1 2 3")};
  TinyLlama shape;
  shape.query_heads = 8;
  const TemporaryDirectory scratch;
  CHECK(round_trip(shape, mixed, Layout::kExpand, scratch) < 1e-5);
  CHECK(stored_heads(scratch) == 8);
  // Layers that store other numbers of groups.
  Grouping uneven = allocated(Partition::parse("0 1 | 2 3"), {0, 0, 1, 1});
  uneven.layers[1].query_to_group = {search::Group(1), search::Group(1), search::Group(1),
                                     search::Group(1)};
  CHECK(default_layout(maps_of(uneven), {}) == Layout::kPerLayer);
}

namespace {

/// Converts to a layout, checks the result's logits and returns the heads that its config.json
/// says: "query/kv" of both layers.
std::string heads_of(const TinyLlama& shape, const Grouping& grouping, Layout layout) {
  const TemporaryDirectory scratch;
  CHECK(round_trip(shape, grouping, layout, scratch) < 1e-5);
  const ModelConfig config = open_model(scratch.path() / "converted").config;
  std::string text;
  for (const LayerHeads& heads : {config.heads(0), config.heads(1)}) {
    text += std::to_string(heads.query) + "/" + std::to_string(heads.kv) + " ";
  }
  return text;
}

Grouping joint(const char* first, const char* second) {
  const Partition a = Partition::parse(first);
  const Partition b = Partition::parse(second);
  return {{{a, a}, {b, b}}};
}

}  // namespace

TEST_CASE("per-layer layout: every layer has its own number of KV heads") {
  TinyLlama shape;
  shape.bias = true;
  TinyLlama shared = shape;
  shared.query_heads = 8;
  const Grouping grouping = joint("0 3 | 1 2", "0 1 2 3");
  CHECK(default_layout(maps_of(grouping), {}) == Layout::kPerLayer);
  CHECK(heads_of(shape, grouping, Layout::kPerLayer) == "4/2 4/1 ");
  CHECK(heads_of(shared, grouping, Layout::kPerLayer) == "8/2 8/1 ");
  CHECK(heads_of(TinyLlama::qwen2(), grouping, Layout::kPerLayer) == "4/2 4/1 ");
}

TEST_CASE("pad layout: smaller groups are filled up with query heads of zeros") {
  TinyLlama shape;
  shape.bias = true;
  TinyLlama shared = shape;
  shared.query_heads = 8;
  const Grouping uneven = joint("0 3 1 | 2", "0 | 1 2 | 3");
  CHECK(default_layout(maps_of(uneven), {}) == Layout::kPad);
  CHECK(heads_of(shape, uneven, Layout::kPad) == "6/2 6/3 ");
  CHECK(heads_of(shared, uneven, Layout::kPad) == "12/2 12/3 ");
  CHECK(heads_of(TinyLlama::qwen2(), uneven, Layout::kPad) == "6/2 6/3 ");
  // An allocation: groups by the query heads that they serve.
  const Grouping served = allocated(Partition::parse("0 1 | 2 3"), {0, 1, 1, 1});
  CHECK(heads_of(shape, served, Layout::kPad) == "6/2 6/2 ");
}

TEST_CASE("pad layout gives all layers the same heads where stock engines then run them") {
  TinyLlama shape;
  const Grouping grouping = joint("0 1 | 2 3", "0 | 1 2 3");
  shape.width = 16;  // 6 does not divide it
  CHECK(heads_of(shape, grouping, Layout::kPad) == "4/2 6/2 ");
  shape.width = 12;
  CHECK(heads_of(shape, grouping, Layout::kPad) == "6/2 6/2 ");
}

TEST_CASE("padded heads that do not divide the width are described as layers of their own") {
  TinyLlama shape;
  shape.width = 20;  // 6 does not divide it
  const TemporaryDirectory scratch;
  const Grouping alike = joint("0 | 1 2 3", "0 1 3 | 2");
  CHECK(round_trip(shape, alike, Layout::kPad, scratch) < 1e-5);
  const ModelConfig config = open_model(scratch.path() / "converted").config;
  const bool says_both =
      config.heads_by_layer == std::vector<LayerHeads>(2, {6, 2, config.head_dim, config.head_dim});
  CHECK(says_both);
  CHECK(std::filesystem::exists(scratch.path() / "converted/modeling_regrouped.py"));
}

TEST_CASE("layouts whose layers differ go with the code that reads them") {
  const TemporaryDirectory scratch;
  round_trip(TinyLlama(), joint("0 1 | 2 3", "0 1 2 3"), Layout::kPerLayer, scratch);
  const auto config = read_json_file(scratch.path() / "converted/config.json");
  CHECK(config["num_key_value_heads_per_layer"] == std::vector<int>{2, 1});
  CHECK(config["block_configs"][0]["attention"]["n_heads_in_group"] == 2);
  CHECK(config["block_configs"][1]["attention"]["n_heads_in_group"] == 4);
  const std::string code = read_file(scratch.path() / "converted/modeling_regrouped.py");
  CHECK_THAT(code, contains("class RegroupedForCausalLM(LlamaForCausalLM)"));
  // Another conversion to the same place leaves nothing of it.
  const auto model = std::make_shared<const PretrainedModel>(open_model(scratch.path() / "source"));
  const Grouping pairs = Grouping::uniform(2, Partition::parse("0 1 | 2 3"));
  search::SilentProgress silent;
  convert_checkpoint(*model, *merge_plainly(model, pairs, find_merge("mean")), Layout::kStandard,
                     {}, scratch.path() / "converted", {}, silent);
  CHECK_FALSE(std::filesystem::exists(scratch.path() / "converted/modeling_regrouped.py"));
  CHECK(open_model(scratch.path() / "converted").config.heads_by_layer.empty());
}

TEST_CASE("a checkpoint whose layers differ is refused where a grouping is asked of it") {
  const TemporaryDirectory scratch;
  round_trip(TinyLlama(), joint("0 1 | 2 3", "0 1 2 3"), Layout::kPerLayer, scratch);
  const PretrainedModel model = open_model(scratch.path() / "converted");
  CHECK_THAT(error_message<InputError>([&] { require_equal_layers(model); }),
             contains("converted from"));
}

TEST_CASE("weights are written in another element type, and refused where it cannot hold them") {
  const TemporaryDirectory scratch;
  TinyLlama().write(scratch.path() / "source");
  const auto model = std::make_shared<const PretrainedModel>(open_model(scratch.path() / "source"));
  const auto layers =
      merge_plainly(model, Grouping::uniform(2, Partition::parse("0 1 | 2 3")), find_merge("mean"));
  const auto target = scratch.path() / "converted";
  std::filesystem::create_directories(target);
  search::SilentProgress silent;
  for (const DType dtype : {DType::kF16, DType::kBF16}) {
    convert_checkpoint(*model, *layers, Layout::kStandard, {.dtype = dtype}, target, {}, silent);
    const PretrainedModel converted = open_model(target);
    for (const std::string& name : converted.checkpoint.names()) {
      const TensorView& found = converted.checkpoint.tensor(name);
      CHECK(found.dtype == dtype);
      const at::Tensor source = to_tensor(model->checkpoint.tensor(name));
      if (source.sizes() != to_tensor(found).sizes()) continue;   // merged keys and values
      if (name.find("self_attn") != std::string::npos) continue;  // in another order
      CHECK(at::equal(to_tensor(found), source.to(scalar_type(dtype))));
    }
  }
  const std::vector<float> large = {1e6F};
  std::vector<std::byte> out(2);
  CHECK_THAT(error_message<WorkError>([&] {
               convert_elements(DType::kF32, std::as_bytes(std::span(large)), DType::kF16, out,
                                "a.weight");
             }),
             contains("a.weight"));
}

TEST_CASE("companion files are carried over, shards keep their limit, bytes repeat") {
  const TemporaryDirectory scratch;
  TinyLlama().write(scratch.path() / "source");
  scratch.write("source/tokenizer.model", "a tokenizer");
  scratch.write("source/generation_config.json", "{}");
  const auto source =
      std::make_shared<const PretrainedModel>(open_model(scratch.path() / "source"));
  const auto grouping = Grouping::uniform(2, Partition::parse("0 1 | 2 3"));
  search::SilentProgress silent;
  for (const char* name : {"a", "b"}) {
    std::filesystem::create_directories(scratch.path() / name);
    convert_checkpoint(*source, *merge_plainly(source, grouping, find_merge("mean")),
                       Layout::kStandard, {.max_shard_bytes = 2000}, scratch.path() / name, {},
                       silent);
  }
  CHECK(read_file(scratch.path() / "a/tokenizer.model") == "a tokenizer");
  CHECK(read_file(scratch.path() / "a/generation_config.json") == "{}");
  const auto index = read_json_file(scratch.path() / "a/model.safetensors.index.json");
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(scratch.path() / "a")) {
    ++files;
    CHECK(read_file(entry.path()) == read_file(scratch.path() / "b" / entry.path().filename()));
  }
  CHECK(files >= 5);
  CHECK(load(scratch.path() / "a").logits(kIds).size() == kIds.size() * 20);
}

namespace {

const char* const kOwnCode = "modeling_own.py";

/// A source whose config.json names code of its own, converted by a grouping in two layers: the
/// directory's config.json.
nlohmann::json converted_config_of(nlohmann::json config, const Grouping& grouping, Layout layout,
                                   const TemporaryDirectory& scratch) {
  const auto source = scratch.path() / "source";
  config["auto_map"] = {{"AutoConfig", "configuration_own.OwnConfig"},
                        {"AutoModelForCausalLM", "modeling_own.OwnModel"},
                        {"AutoTokenizer", {"tokenization_own.OwnTokenizer", nullptr}}};
  write_checkpoint(source, config, random_values(config, 1));
  for (const std::string name : {kOwnCode, "configuration_own.py", "tokenization_own.py",
                                 "chat_template.jinja", "1_Pooling/config.json"}) {
    scratch.write("source/" + name, "content of " + name);
  }
  const auto model = std::make_shared<const PretrainedModel>(open_model(source));
  const auto target = scratch.path() / "converted";
  std::filesystem::create_directories(target);
  search::SilentProgress silent;
  convert_checkpoint(*model, *merge_plainly(model, grouping, find_merge("mean")), layout, {},
                     target, {}, silent);
  for (const std::string name :
       {kOwnCode, "tokenization_own.py", "chat_template.jinja", "1_Pooling/config.json"}) {
    CHECK(read_file(target / name) == "content of " + name);
  }
  return read_json_file(target / "config.json");
}

nlohmann::json typed_llama() {
  nlohmann::json config = TinyLlama().config();
  config["model_type"] = "llama";
  return config;
}

}  // namespace

TEST_CASE("the standard layout keeps the source's own code, and all that goes with it") {
  const TemporaryDirectory scratch;
  const auto config = converted_config_of(typed_llama(), joint("0 1 | 2 3", "0 2 | 1 3"),
                                          Layout::kStandard, scratch);
  nlohmann::json expected = read_json_file(scratch.path() / "source/config.json");
  expected["num_key_value_heads"] = 2;
  CHECK(config == expected);
  CHECK(config["auto_map"]["AutoModelForCausalLM"] == "modeling_own.OwnModel");
  CHECK_FALSE(std::filesystem::exists(scratch.path() / "converted/modeling_regrouped.py"));
}

TEST_CASE(
    "where layers differ the code beside the weights takes the place of the source's models") {
  const TemporaryDirectory scratch;
  const auto config =
      converted_config_of(typed_llama(), joint("0 1 | 2 3", "0 1 2 3"), Layout::kPerLayer, scratch);
  CHECK(config["model_type"] == "llama");
  CHECK(config["architectures"] == std::vector<std::string>{"RegroupedForCausalLM"});
  CHECK(config["base_architecture"] == "LlamaForCausalLM");
  CHECK(config["auto_map"] ==
        nlohmann::json{{"AutoConfig", "configuration_regrouped.RegroupedConfig"},
                       {"AutoModelForCausalLM", "modeling_regrouped.RegroupedForCausalLM"},
                       {"AutoTokenizer", {"tokenization_own.OwnTokenizer", nullptr}}});
  CHECK_THAT(read_file(scratch.path() / "converted/configuration_regrouped.py"),
             contains("class RegroupedConfig(LlamaConfig)"));
}

TEST_CASE("by layer a model without a head stays one, and is no decoder of Nemotron-NAS") {
  nlohmann::json whole = typed_llama();
  whole["intermediate_size"] = 256;
  nlohmann::json base = whole;
  base["architectures"] = {"LlamaModel"};
  const Grouping grouping = joint("0 1 | 2 3", "0 1 2 3");
  const TemporaryDirectory decoder;
  CHECK(converted_config_of(whole, grouping, Layout::kPerLayer, decoder)["architectures"] ==
        std::vector<std::string>{"DeciLMForCausalLM"});
  const TemporaryDirectory scratch;
  const auto config = converted_config_of(base, grouping, Layout::kPerLayer, scratch);
  CHECK(config["architectures"] == std::vector<std::string>{"RegroupedModel"});
  CHECK(config["base_architecture"] == "LlamaModel");
  CHECK(config["auto_map"]["AutoModel"] == "modeling_regrouped.RegroupedModel");
  CHECK_FALSE(config["auto_map"].contains("AutoModelForCausalLM"));
  CHECK_THAT(read_file(scratch.path() / "converted/modeling_regrouped.py"),
             contains("class RegroupedModel(LlamaModel)"));
  CHECK_FALSE(open_model(scratch.path() / "converted").config.has_head);
}

TEST_CASE("the code beside the weights derives from the classes of the source's own config") {
  const TemporaryDirectory scratch;
  converted_config_of(tiny_config("Gemma3ForCausalLM"), joint("0 1 | 2 3", "0 1 2 3"),
                      Layout::kPerLayer, scratch);
  // Gemma3Config is that of the models with images.
  const std::string code = read_file(scratch.path() / "converted/configuration_regrouped.py");
  CHECK_THAT(code, contains("class RegroupedConfig(Gemma3TextConfig)"));
  CHECK_THAT(read_file(scratch.path() / "converted/modeling_regrouped.py"),
             contains("class RegroupedForCausalLM(Gemma3ForCausalLM)"));
}
