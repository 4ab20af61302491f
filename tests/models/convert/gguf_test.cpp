#include <cmath>

#include "models/convert/convert.hpp"
#include "models/convert/write_gguf.hpp"
#include "models/language_model/language_model.hpp"
#include "models/language_model/merger.hpp"
#include "models/merge/operators/merge_table.hpp"
#include "models/overlay/weight_overlay.hpp"
#include "search/base/error.hpp"
#include "tests/fixtures/random_checkpoint.hpp"
#include "tests/fixtures/tiny_family.hpp"
#include "tests/fixtures/tiny_llama.hpp"
#include "tests/models/gguf/naive_gguf.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/error_message.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace regroup;
using namespace regroup::models;
using namespace regroup::tests;
using search::Grouping;
using search::Partition;

namespace {

const std::vector<int> kIds = {1, 5, 3, 19, 0, 7, 7, 12, 4};

Grouping both(const std::string& first, const std::string& second) {
  return {{{Partition::parse(first), Partition::parse(first)},
           {Partition::parse(second), Partition::parse(second)}}};
}

const Grouping kStandard = both("0 3 | 1 2", "0 2 | 1 3");
const Grouping kPerLayer = both("0 1 2 3", "0 2 | 1 3");
const Grouping kPad = both("0 1 3 | 2", "0 | 1 | 2 3");
const Grouping kEqualPad = both("0 1 | 2 3", "0 | 1 2 3");

/// A directory with one checkpoint, and the GGUF files that are made of it.
class Scene {
 public:
  explicit Scene(const nlohmann::json& config, DType dtype = DType::kF32) {
    write_checkpoint(scratch_.path() / "source", config, random_values(config, 5), dtype);
    model_ = std::make_shared<const PretrainedModel>(open_model(scratch_.path() / "source"));
  }
  explicit Scene(const TinyLlama& shape) : Scene(shape.config(), shape.dtype) {}

  GgufPlan plan(const Grouping& grouping, Layout layout,
                std::optional<GgmlType> type = std::nullopt) const {
    return plan_gguf(*model_, grouping, layout, {type, false, {{"regroup.kv_ratio", 0.5F}}});
  }
  GgufFile converted(const Grouping& grouping, Layout layout,
                     std::optional<GgmlType> type = std::nullopt) const {
    const auto path = scratch_.path() / "model.gguf";
    search::SilentProgress silent;
    write_gguf(plan(grouping, layout, type), *model_,
               *merge_plainly(model_, grouping, find_merge("mean")), path, {}, silent);
    return GgufFile(path);
  }
  GgufFile converted_within(int context) const {
    const auto path = scratch_.path() / "model.gguf";
    search::SilentProgress silent;
    const GgufOptions options = {.tokenizer = false, .context = context};
    write_gguf(plan_gguf(*model_, kStandard, Layout::kStandard, options), *model_,
               *merge_plainly(model_, kStandard, find_merge("mean")), path, {}, silent);
    return GgufFile(path);
  }
  /// Largest difference of the file's logits, computed naively, to those of the source computed
  /// with the grouping.
  double difference(const Grouping& grouping, const GgufFile& file) const {
    const LanguageModel source(model_, ComputeOptions{});
    const std::vector<std::int32_t> ids(kIds.begin(), kIds.end());
    const auto expected = source.grouped(grouping, find_merge("mean")).logits(ids);
    const auto found = naive_gguf_logits(file, kIds);
    const std::size_t vocabulary = found[0].size();
    REQUIRE(expected.size() == found.size() * vocabulary);
    double largest = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      largest = std::max(largest, std::abs(expected[i] - found[i / vocabulary][i % vocabulary]));
    }
    return largest;
  }
  std::string refusal(const Grouping& grouping, Layout layout) const {
    return error_message<InputError>([&] { plan(grouping, layout); });
  }
  /// The tensors of the same conversion as a Hugging Face directory.
  PretrainedModel hugging_face(const Grouping& grouping, Layout layout) const {
    const auto directory = scratch_.path() / "converted";
    std::filesystem::create_directories(directory);
    search::SilentProgress silent;
    convert_checkpoint(*model_, *merge_plainly(model_, grouping, find_merge("mean")), layout, {},
                       directory, {}, silent);
    return open_model(directory);
  }

 private:
  TemporaryDirectory scratch_;
  std::shared_ptr<const PretrainedModel> model_;
};

std::string architecture(const GgufFile& file) {
  return file.metadata["general.architecture"];
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

}  // namespace

TEST_CASE("logits of a GGUF file, computed naively, are those of the model with the grouping") {
  struct Case {
    nlohmann::json config;
    Grouping grouping;
    Layout layout;
    std::string architecture;
  };
  nlohmann::json mistral = TinyLlama::mistral().config();
  mistral["sliding_window"] = nullptr;
  mistral["num_key_value_heads"] = 4;
  nlohmann::json qwen3 = tiny_config("Qwen3ForCausalLM");
  qwen3["num_key_value_heads"] = 4;
  const std::vector<Case> cases = {
      {llama(false, true), kStandard, Layout::kStandard, "llama"},
      {llama(true, false), kStandard, Layout::kStandard, "llama"},
      {llama(true, false), kPerLayer, Layout::kPerLayer, "deci"},
      {llama(true, true), kPad, Layout::kPad, "deci"},
      {llama(false, false), kEqualPad, Layout::kPad, "llama"},
      {llama(true, true), kPad, Layout::kExpand, "llama"},
      {with_scaled_rotary(llama(false, true)), kStandard, Layout::kStandard, "llama"},
      {with_scaled_rotary(llama(false, true)), kPerLayer, Layout::kPerLayer, "deci"},
      {mistral, kPad, Layout::kPad, "deci"},
      {qwen2(16), kStandard, Layout::kStandard, "qwen2"},
      {qwen2(12), kStandard, Layout::kStandard, "llama"},
      {with_scaled_rotary(qwen2(16)), kStandard, Layout::kStandard, "llama"},
      {qwen2(16), kPerLayer, Layout::kPerLayer, "deci"},
      {qwen3, kStandard, Layout::kStandard, "qwen3"}};
  for (const Case& c : cases) {
    const Scene scene(c.config);
    const GgufFile file = scene.converted(c.grouping, c.layout);
    INFO(c.config["architectures"].dump() << " " << layout_name(c.layout));
    CHECK(architecture(file) == c.architecture);
    CHECK(scene.difference(c.grouping, file) < 1e-4);
  }
}

TEST_CASE("Qwen3 with heads by layer is written for the one transformer with norms that has them") {
  nlohmann::json qwen3 = tiny_config("Qwen3ForCausalLM");
  qwen3["num_key_value_heads"] = 4;
  qwen3["tie_word_embeddings"] = true;
  for (const auto& [grouping, layout] :
       {std::pair(kPerLayer, Layout::kPerLayer), std::pair(kPad, Layout::kPad)}) {
    const Scene scene(qwen3);
    const GgufFile file = scene.converted(grouping, layout);
    CHECK(architecture(file) == "openelm");
    CHECK(scene.difference(grouping, file) < 1e-4);
  }
  qwen3["tie_word_embeddings"] = false;
  CHECK_THAT(Scene(qwen3).refusal(kPerLayer, Layout::kPerLayer),
             contains("token table") && contains("--layout"));
}

TEST_CASE("tensors are those of the Hugging Face directory, queries and keys by pairs of rows") {
  TinyLlama shape;
  shape.bias = true;
  shape.head_dim = 6;
  const Scene scene(shape);
  const GgufFile file = scene.converted(kStandard, Layout::kStandard);
  const PretrainedModel expected = scene.hugging_face(kStandard, Layout::kStandard);
  const auto compare = [&](const std::string& name, const std::string& own, bool turned) {
    const std::vector<float> source = to_floats(expected.tensor(own));
    const std::vector<double> found = file.values(name);
    REQUIRE(source.size() == found.size());
    const auto rows = static_cast<std::size_t>(expected.tensor(own).shape[0]);
    const std::size_t columns = source.size() / rows;
    for (std::size_t row = 0; row < rows; ++row) {
      const std::size_t head = row / 6;
      const std::size_t place = row % 6;  // rows 0 1 2 3 4 5 stand as 0 3 1 4 2 5
      const std::size_t from = turned ? head * 6 + place / 2 + place % 2 * 3 : row;
      for (std::size_t i = 0; i < columns; ++i) {
        CHECK(found[row * columns + i] == source[from * columns + i]);
      }
    }
  };
  for (const std::string layer : {"0", "1"}) {
    const std::string from = "model.layers." + layer + ".";
    const std::string to = "blk." + layer + ".";
    for (const std::string part : {".weight", ".bias"}) {
      compare(to + "attn_q" + part, from + "self_attn.q_proj" + part, true);
      compare(to + "attn_k" + part, from + "self_attn.k_proj" + part, true);
      compare(to + "attn_v" + part, from + "self_attn.v_proj" + part, false);
      compare(to + "attn_output" + part, from + "self_attn.o_proj" + part, false);
      compare(to + "ffn_down" + part, from + "mlp.down_proj" + part, false);
    }
    compare(to + "attn_norm.weight", from + "input_layernorm.weight", false);
  }
  CHECK_FALSE(file.has("output.weight"));  // the head is the token table
}

TEST_CASE("a GGUF file says what the model is") {
  TinyLlama shape;
  shape.layers = 2;
  const Scene scene(shape);
  const GgufFile uniform = scene.converted(kStandard, Layout::kStandard);
  const auto& says = uniform.metadata;
  CHECK(uniform.keys[0] == "general.architecture");
  CHECK(says["general.name"] == "source");
  CHECK(says["general.file_type"] == 0);
  CHECK(says["llama.vocab_size"] == 20);
  CHECK(says["llama.context_length"] == 16);
  CHECK(says["llama.embedding_length"] == 12);
  CHECK(says["llama.block_count"] == 2);
  CHECK(says["llama.feed_forward_length"] == 10);
  CHECK(says["llama.attention.head_count"] == 4);
  CHECK(says["llama.attention.head_count_kv"] == 2);
  CHECK(says["llama.attention.key_length"] == 4);
  CHECK(says["llama.attention.value_length"] == 4);
  CHECK(says["llama.rope.dimension_count"] == 4);
  CHECK(says["llama.rope.freq_base"] == 100.0);
  CHECK(says["llama.attention.layer_norm_rms_epsilon"].get<double>() == Approx(1e-5));
  CHECK(says["regroup.kv_ratio"] == 0.5);
  CHECK(says["tokenizer.ggml.model"] == "no_vocab");
  const GgufFile padded = scene.converted(kPad, Layout::kPad);
  CHECK(padded.metadata["deci.attention.head_count"] == nlohmann::json({6, 6}));
  CHECK(padded.metadata["deci.attention.head_count_kv"] == nlohmann::json({2, 3}));
}

TEST_CASE("matrices have the type that is asked for, vectors are F32") {
  TinyLlama shape;
  shape.width = 32;
  shape.head_dim = 8;
  shape.dtype = DType::kBF16;
  const Scene scene(shape);
  const GgufFile as_it_is = scene.converted(kStandard, Layout::kStandard);
  CHECK(as_it_is.metadata["general.file_type"] == 32);
  const GgufFile exact = scene.converted(kStandard, Layout::kStandard, GgmlType::kF32);
  for (const auto& [type, number, file_type, tolerance] :
       {std::tuple(GgmlType::kF32, 0U, 0, 0.0), std::tuple(GgmlType::kF16, 1U, 1, 1e-3),
        std::tuple(GgmlType::kBF16, 30U, 32, 0.0), std::tuple(GgmlType::kQ8_0, 8U, 7, 0.02)}) {
    const GgufFile file = scene.converted(kStandard, Layout::kStandard, type);
    CHECK(file.metadata["general.file_type"] == file_type);
    CHECK(file.metadata.contains("general.quantization_version") == (type == GgmlType::kQ8_0));
    CHECK(file.tensors.at("blk.0.attn_norm.weight").type == 0);
    CHECK(file.tensors.at("blk.1.attn_k.weight").type == number);
    // Rows of ten numbers are no blocks of 32.
    CHECK(file.tensors.at("blk.1.ffn_down.weight").type == (type == GgmlType::kQ8_0 ? 1U : number));
    for (const auto& [name, tensor] : file.tensors) {
      const auto expected = exact.values(name);
      const auto found = file.values(name);
      REQUIRE(found.size() == expected.size());
      double largest = 0;
      for (std::size_t i = 0; i < found.size(); ++i) {
        largest = std::max(largest, std::abs(found[i] - expected[i]));
      }
      CHECK(largest <= tolerance);
    }
  }
  CHECK(scene.converted(kStandard, Layout::kStandard, GgmlType::kQ8_0).bytes ==
        scene.converted(kStandard, Layout::kStandard, GgmlType::kQ8_0).bytes);
}

TEST_CASE("a model with a sliding window is written for contexts within it") {
  nlohmann::json mistral = TinyLlama::mistral().config();
  mistral["num_key_value_heads"] = 4;
  const Scene scene(mistral);
  CHECK_THAT(scene.refusal(kStandard, Layout::kStandard), contains("--context 3"));
  for (const int context : {3, 2, 1}) {
    CHECK(scene.converted_within(context).number("llama.context_length") == context);
  }
  const auto refusal = [&](int context) {
    return error_message<InputError>([&] { scene.converted_within(context); });
  };
  CHECK_THAT(refusal(4), contains("sliding window of 3 tokens in a context of 4"));
  CHECK_THAT(refusal(0), contains("--context") && contains("from 1 to 16"));
  CHECK_THAT(refusal(17), contains("from 1 to 16"));
}

TEST_CASE("what llama.cpp does not compute is refused, and the message says what it does") {
  const auto refusal = [](const nlohmann::json& config) {
    return Scene(config).refusal(kStandard, Layout::kExpand);
  };
  CHECK_THAT(refusal(TinyLlama::mistral().config()), contains("sliding window of 3"));
  for (const char* family : {"GPT2LMHeadModel", "OPTForCausalLM", "GPTNeoXForCausalLM",
                             "BertForMaskedLM", "ViTForImageClassification"}) {
    CHECK_THAT(refusal(tiny_config(family)),
               contains("LlamaForCausalLM, MistralForCausalLM, Qwen2ForCausalLM, "
                        "Qwen3ForCausalLM"));
  }
  CHECK_THAT(refusal(tiny_config("LlamaModel")), contains("LlamaForCausalLM without it"));
  nlohmann::json biased = tiny_config("Qwen3ForCausalLM");
  biased["attention_bias"] = true;
  CHECK_THAT(refusal(biased), contains("bias of the attention's output"));
  CHECK_THAT(Scene(qwen2(16)).refusal(kPad, Layout::kStandard), contains("cannot hold"));
}
