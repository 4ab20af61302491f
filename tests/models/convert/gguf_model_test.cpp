// GGUF files as models: what is written is read back as the same model, whatever the family, and
// quantized files convert.

#include <algorithm>
#include <cmath>

#include "models/convert/convert.hpp"
#include "models/convert/write_gguf.hpp"
#include "models/language_model/language_model.hpp"
#include "models/language_model/merger.hpp"
#include "models/layers/layer_head_maps.hpp"
#include "models/merge/operators/merge_table.hpp"
#include "models/overlay/weight_overlay.hpp"
#include "tests/fixtures/random_checkpoint.hpp"
#include "tests/fixtures/tiny_family.hpp"
#include "tests/fixtures/tiny_gguf.hpp"
#include "tests/fixtures/tiny_llama.hpp"
#include "tests/models/gguf/naive_gguf.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/near.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace regroup;
using namespace regroup::models;
using namespace regroup::tests;
using search::Grouping;
using search::Partition;
using Shared = std::shared_ptr<const PretrainedModel>;

namespace {

const std::vector<std::int32_t> kIds = {1, 5, 3, 19, 0, 7, 7, 12, 4};

Grouping both(const std::string& first, const std::string& second) {
  return {{{Partition::parse(first), Partition::parse(first)},
           {Partition::parse(second), Partition::parse(second)}}};
}

const Grouping kStandard = both("0 3 | 1 2", "0 2 | 1 3");
const Grouping kPerLayer = both("0 1 2 3", "0 2 | 1 3");
const Grouping kPad = both("0 1 3 | 2", "0 | 1 | 2 3");

Shared open_shared(const std::filesystem::path& path) {
  return std::make_shared<const PretrainedModel>(open_model(path));
}

std::vector<float> logits_of(const Shared& model) {
  return LanguageModel(model, ComputeOptions{}).logits(kIds);
}

void convert_to_gguf(const Shared& model, const Grouping& grouping, Layout layout,
                     const std::filesystem::path& file, std::optional<GgmlType> type = {}) {
  search::SilentProgress silent;
  write_gguf(plan_gguf(*model, grouping, layout, {.type = type, .tokenizer = false}), *model,
             *merge_plainly(model, grouping, find_merge("mean")), file, {}, silent);
}

void convert_to_directory(const Shared& model, const Grouping& grouping, Layout layout,
                          const std::filesystem::path& directory) {
  search::SilentProgress silent;
  std::filesystem::create_directories(directory);
  convert_checkpoint(*model, *merge_plainly(model, grouping, find_merge("mean")), layout, {},
                     directory, {}, silent);
}

nlohmann::json llama(bool bias, bool tied) {
  TinyLlama shape;
  shape.bias = bias;
  shape.tied = tied;
  return shape.config();
}

nlohmann::json with_scaled_rotary(nlohmann::json config) {
  config["rope_scaling"] = {{"rope_type", "llama3"},
                            {"factor", 8.0},
                            {"low_freq_factor", 1.0},
                            {"high_freq_factor", 4.0},
                            {"original_max_position_embeddings", 16}};
  return config;
}

nlohmann::json qwen2(int width) {
  TinyLlama shape = TinyLlama::qwen2();
  shape.sliding_window = 0;
  shape.width = width;
  return shape.config();
}

nlohmann::json qwen3() {
  nlohmann::json config = tiny_config("Qwen3ForCausalLM");
  config["num_key_value_heads"] = 4;
  config["tie_word_embeddings"] = true;
  return config;
}

}  // namespace

TEST_CASE("a GGUF file of every architecture that is written has the logits of the directory") {
  struct Case {
    nlohmann::json config;
    Grouping grouping;
    Layout layout;
    std::string family;  ///< of the file that is read
  };
  const std::string kLlama = "LlamaForCausalLM";
  const std::string kQwen2 = "Qwen2ForCausalLM";
  const std::string kQwen3 = "Qwen3ForCausalLM";
  nlohmann::json mistral = TinyLlama::mistral().config();
  mistral["sliding_window"] = nullptr;
  mistral["num_key_value_heads"] = 4;
  for (const Case& c :
       {Case{llama(false, true), kStandard, Layout::kStandard, kLlama},
        Case{llama(true, false), kStandard, Layout::kStandard, kLlama},
        Case{llama(true, false), kPerLayer, Layout::kPerLayer, kLlama},
        Case{llama(true, true), kPad, Layout::kPad, kLlama},
        Case{mistral, kStandard, Layout::kStandard, kLlama},
        Case{with_scaled_rotary(llama(false, true)), kStandard, Layout::kStandard, kLlama},
        Case{qwen2(16), kStandard, Layout::kStandard, kQwen2},
        Case{qwen2(12), kStandard, Layout::kStandard, kQwen2},
        Case{qwen2(16), kPerLayer, Layout::kPerLayer, kQwen2},
        Case{qwen3(), kStandard, Layout::kStandard, kQwen3},
        Case{qwen3(), kPerLayer, Layout::kPerLayer, kQwen3}}) {
    const TemporaryDirectory scratch;
    write_checkpoint(scratch.path() / "source", c.config, random_values(c.config, 5));
    const Shared source = open_shared(scratch.path() / "source");
    convert_to_gguf(source, c.grouping, c.layout, scratch.path() / "model.gguf");
    convert_to_directory(source, c.grouping, c.layout, scratch.path() / "converted");
    const Shared read = open_shared(scratch.path() / "model.gguf");
    INFO(c.config["architectures"].dump() << " " << layout_name(c.layout));
    CHECK(read->config.architecture == c.family);
    const auto expected = logits_of(open_shared(scratch.path() / "converted"));
    const auto found = logits_of(read);
    REQUIRE(found.size() == expected.size());
    if (c.config.contains("rope_scaling")) {
      // The numbers behind the factors are found to within their rounding.
      for (std::size_t i = 0; i < found.size(); ++i) CHECK(found[i] == near(expected[i], 1e-4));
    } else {
      CHECK(found == expected);
    }
  }
}

TEST_CASE("a quantized GGUF file has the logits of the directory that it is made into") {
  const TemporaryDirectory scratch;
  TinyGguf tiny;
  tiny.set("attention.head_count_kv", std::uint32_t{4});
  for (const std::string layer : {"blk.0.", "blk.1."}) {
    tiny.add(layer + "attn_q.weight", {32, 32}, GgmlType::kQ4_0);
    tiny.add(layer + "attn_k.weight", {32, 32}, GgmlType::kQ5_1);
    tiny.add(layer + "attn_v.weight", {32, 32}, GgmlType::kQ8_0);
    tiny.add(layer + "attn_output.weight", {32, 32}, GgmlType::kF16);
    tiny.add(layer + "ffn_up.weight", {64, 32}, GgmlType::kQ4_1);
    tiny.add(layer + "ffn_gate.weight", {64, 32}, GgmlType::kBF16);
    tiny.add(layer + "ffn_down.weight", {32, 64}, GgmlType::kQ5_0);
  }
  tiny.write(scratch.path() / "tiny.gguf");
  const Shared model = open_shared(scratch.path() / "tiny.gguf");
  CHECK(model->dtype == DType::kF16);
  const Grouping whole = both("0 | 1 | 2 | 3", "0 | 1 | 2 | 3");
  convert_to_directory(model, whole, Layout::kStandard, scratch.path() / "directory");
  CHECK(logits_of(model) == logits_of(open_shared(scratch.path() / "directory")));

  // Merged, in a directory and in a file: what is not merged keeps its blocks.
  convert_to_directory(model, kStandard, Layout::kStandard, scratch.path() / "merged");
  const LanguageModel source(model, ComputeOptions{});
  const auto grouped = source.grouped(kStandard, find_merge("mean")).logits(kIds);
  const auto stored = logits_of(open_shared(scratch.path() / "merged"));
  REQUIRE(grouped.size() == stored.size());
  // Stored heads stand in another order, and so do the sums over them.
  for (std::size_t i = 0; i < stored.size(); ++i) CHECK(grouped[i] == near(stored[i], 1e-4));
  convert_to_gguf(model, kStandard, Layout::kStandard, scratch.path() / "merged.gguf");
  const Shared merged = open_shared(scratch.path() / "merged.gguf");
  for (const char* name : {"mlp.up_proj", "mlp.down_proj", "mlp.gate_proj"}) {
    const std::string tensor = std::string("model.layers.1.") + name + ".weight";
    CHECK(merged->tensor(tensor).storage == model->tensor(tensor).storage);
    CHECK(std::ranges::equal(merged->tensor(tensor).bytes, model->tensor(tensor).bytes));
  }
  CHECK(merged->tensor("model.layers.1.self_attn.k_proj.weight").dtype == DType::kF16);
  CHECK(merged->config.kv_heads == 2);
  const auto expected = logits_of(open_shared(scratch.path() / "merged"));
  const auto found = logits_of(merged);
  double largest = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(found[i]) - expected[i]));
  }
  CHECK(largest < 0.05);
  convert_to_gguf(model, kStandard, Layout::kStandard, scratch.path() / "wide.gguf",
                  GgmlType::kF32);
  CHECK(open_shared(scratch.path() / "wide.gguf")
            ->tensor("model.layers.0.mlp.up_proj.weight")
            .storage.is_plain());
  CHECK(logits_of(open_shared(scratch.path() / "wide.gguf")) == expected);
}

TEST_CASE("a GGUF file of K types has the logits of the numbers in its blocks") {
  const TemporaryDirectory scratch;
  TinyGguf tiny;
  for (const char* key : {"embedding_length", "feed_forward_length"}) {
    tiny.set(key, std::uint32_t{256});
  }
  tiny.set("attention.key_length", std::uint32_t{64});
  tiny.add("token_embd.weight", {20, 256}, GgmlType::kQ4_K);
  tiny.add("output_norm.weight", {256});
  tiny.add("output.weight", {20, 256}, GgmlType::kQ6_K);
  for (const std::string layer : {"blk.0.", "blk.1."}) {
    tiny.add(layer + "attn_norm.weight", {256});
    tiny.add(layer + "attn_q.weight", {256, 256}, GgmlType::kQ4_K);
    tiny.add(layer + "attn_k.weight", {128, 256}, GgmlType::kQ5_K);
    tiny.add(layer + "attn_v.weight", {128, 256}, GgmlType::kQ6_K);
    tiny.add(layer + "attn_output.weight", {256, 256}, GgmlType::kQ5_K);
    tiny.add(layer + "ffn_norm.weight", {256});
    tiny.add(layer + "ffn_gate.weight", {256, 256}, GgmlType::kQ4_K);
    tiny.add(layer + "ffn_up.weight", {256, 256}, GgmlType::kQ5_K);
    tiny.add(layer + "ffn_down.weight", {256, 256}, GgmlType::kQ6_K);
  }
  tiny.write(scratch.path() / "tiny.gguf");
  const Shared model = open_shared(scratch.path() / "tiny.gguf");
  const std::vector<float> logits = logits_of(model);
  const auto naive = naive_gguf_logits(tests::GgufFile(scratch.path() / "tiny.gguf"),
                                       std::vector<int>(kIds.begin(), kIds.end()));
  double largest = 0;
  for (const float logit : logits) largest = std::max(largest, std::abs(double{logit}));
  REQUIRE(logits.size() == naive.size() * 20);
  for (std::size_t i = 0; i < logits.size(); ++i) {
    CHECK(logits[i] == near(naive[i / 20][i % 20], 1e-5 * largest));
  }
  // Untouched, as a directory; merged, with the blocks of what is not merged as they were.
  convert_to_directory(model, both("0 | 1", "0 | 1"), Layout::kStandard,
                       scratch.path() / "directory");
  CHECK(logits == logits_of(open_shared(scratch.path() / "directory")));
  convert_to_gguf(model, both("0 1", "0 1"), Layout::kStandard, scratch.path() / "merged.gguf");
  const Shared merged = open_shared(scratch.path() / "merged.gguf");
  for (const char* name : {"model.layers.0.mlp.gate_proj.weight", "model.embed_tokens.weight",
                           "model.layers.1.mlp.up_proj.weight", "lm_head.weight"}) {
    CAPTURE(name);
    REQUIRE(merged->tensor(name).storage.blocks);
    CHECK(merged->tensor(name).storage == model->tensor(name).storage);
    CHECK(std::ranges::equal(merged->tensor(name).bytes, model->tensor(name).bytes));
  }
  CHECK(merged->config.kv_heads == 1);
}

TEST_CASE(
    "a head that differs from the token table it is tied to has a matrix of its own in GGUF") {
  const TemporaryDirectory scratch;
  const nlohmann::json untied = llama(false, false);
  const nlohmann::json tied = llama(false, true);
  write_checkpoint(scratch.path() / "source", untied, random_values(untied, 5));
  scratch.write("source/config.json", tied.dump());
  const Shared source = open_shared(scratch.path() / "source");
  convert_to_gguf(source, kStandard, Layout::kStandard, scratch.path() / "model.gguf");
  CHECK(tests::GgufFile(scratch.path() / "model.gguf").has("output.weight"));
  convert_to_directory(source, kStandard, Layout::kStandard, scratch.path() / "converted");
  CHECK(logits_of(open_shared(scratch.path() / "model.gguf")) ==
        logits_of(open_shared(scratch.path() / "converted")));
  // One that is the token table has none.
  write_checkpoint(scratch.path() / "equal", tied, random_values(tied, 5));
  convert_to_gguf(open_shared(scratch.path() / "equal"), kStandard, Layout::kStandard,
                  scratch.path() / "equal.gguf");
  CHECK_FALSE(tests::GgufFile(scratch.path() / "equal.gguf").has("output.weight"));
}
