// A GGUF file as a checkpoint: the config.json that it stands for, tensors by Hugging Face's names,
// and refusals.

#include "models/checkpoint/gguf_file.hpp"

#include <cmath>
#include <cstring>

#include "models/checkpoint/finite_scan.hpp"
#include "models/checkpoint/gguf/rotary_factors.hpp"
#include "models/elements/conversion.hpp"
#include "models/pretrained/pretrained_model.hpp"
#include "search/base/error.hpp"
#include "tests/fixtures/tiny_gguf.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/error_message.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace regroup;
using namespace regroup::models;
using namespace regroup::tests;
using nlohmann::json;

namespace {

class Scene {
 public:
  std::filesystem::path write(const TinyGguf& model) const {
    const auto file = scratch_.path() / "tiny.gguf";
    std::filesystem::remove(file);
    model.write(file);
    return file;
  }
  PretrainedModel open(const TinyGguf& model) const { return open_model(write(model)); }
  json config(const TinyGguf& model) const { return GgufFile(write(model)).config(); }
  std::string refusal(const TinyGguf& model) const {
    const auto file = write(model);
    return error_message<InputError>([&] { open_model(file); });
  }
  /// Of a file of these bytes.
  std::string refusal_of_bytes(const std::string& bytes) const {
    scratch_.write("broken.gguf", bytes);
    return error_message<InputError>([&] { open_model(scratch_.path() / "broken.gguf"); });
  }
  std::string bytes(const TinyGguf& model) const { return read_file(write(model)); }

 private:
  TemporaryDirectory scratch_;
};

TinyGguf with_bias(TinyGguf model, const std::vector<std::string>& modules) {
  for (const std::string& module : modules) {
    for (const std::string layer : {"blk.0.", "blk.1."}) {
      const std::int64_t rows = model.tensors.at(layer + module + ".weight").shape[0];
      model.add(layer + module + ".bias", {rows});
    }
  }
  return model;
}

/// What llama.cpp divides the frequencies by, as its converter computes it from "llama3".
std::vector<float> llama3_factors(double theta, int dimensions, double factor, double low,
                                  double high, double context) {
  std::vector<float> factors;
  for (int i = 0; i < dimensions; i += 2) {
    const double wavelength = 2 * 3.14159265358979323846 * std::pow(theta, i / double(dimensions));
    if (wavelength < context / high) {
      factors.push_back(1);
    } else if (wavelength > context / low) {
      factors.push_back(static_cast<float>(factor));
    } else {
      const double smooth = (context / wavelength - low) / (high - low);
      factors.push_back(static_cast<float>(1 / ((1 - smooth) / factor + smooth)));
    }
  }
  return factors;
}

GgufTensorPlace factors_tensor(const std::vector<float>& factors) {
  return {GgmlType::kF32,
          {static_cast<std::int64_t>(factors.size())},
          std::as_bytes(std::span(factors))};
}

}  // namespace

TEST_CASE("a GGUF file is a checkpoint: its metadata are its config.json") {
  const Scene scene;
  TinyGguf tiny;
  tiny.set("tokenizer.ggml.bos_token_id", std::uint32_t{1});
  tiny.set("tokenizer.ggml.eos_token_id", std::uint32_t{2});
  const PretrainedModel model = scene.open(tiny);
  CHECK(model.name() == "tiny");
  CHECK(model.checkpoint.is_gguf());
  const ModelConfig& config = model.config;
  CHECK(config.architecture == "LlamaForCausalLM");
  CHECK(config.layers == 2);
  CHECK(config.width == 32);
  CHECK(config.mlp.width == 64);
  CHECK(config.query_heads == 4);
  CHECK(config.kv_heads == 2);
  CHECK(config.head_dim == 8);
  CHECK(config.vocabulary == 20);
  CHECK(config.context == 16);
  CHECK(config.norm_epsilon == 1e-5);
  CHECK(config.rotary.theta == 100);
  CHECK_FALSE(config.rotary.is_scaled());
  CHECK_FALSE(config.tied_embeddings);
  CHECK(config.bos == 1);
  CHECK(config.eos == 2);
  CHECK(model.checkpoint.config()["torch_dtype"] == "float32");
  tiny.remove_tensor("output.weight");
  CHECK(scene.open(tiny).config.tied_embeddings);
}

TEST_CASE("tensors of a GGUF file have the names and rows that a directory has") {
  const Scene scene;
  TinyGguf tiny;
  tiny.add("blk.0.attn_q.weight", {32, 32}, GgmlType::kQ4_0);
  tiny.add("blk.0.attn_k.weight", {16, 32}, GgmlType::kF16);
  const PretrainedModel model = scene.open(tiny);
  const auto floats_of = [&](const std::string& name) {
    const auto bytes = tiny.bytes_of(name);
    const TinyGguf::Tensor& tensor = tiny.tensors.at(name);
    TensorView view{
        .name = name, .dtype = dtype_of(tensor.type), .shape = tensor.shape, .bytes = bytes};
    if (is_block_type(tensor.type)) view.storage.blocks = tensor.type;
    return to_floats(view);
  };
  CHECK(to_floats(model.tensor("model.layers.1.mlp.down_proj.weight")) ==
        floats_of("blk.1.ffn_down.weight"));
  CHECK(model.tensor("model.layers.0.self_attn.q_proj.weight").dtype == DType::kF32);
  CHECK(model.tensor("model.layers.0.self_attn.k_proj.weight").dtype == DType::kF16);
  for (const auto& [own, name] :
       {std::pair("blk.0.attn_q.weight", "q_proj"), std::pair("blk.0.attn_k.weight", "k_proj")}) {
    const std::vector<float> stored = floats_of(own);
    const std::vector<float> found =
        to_floats(model.tensor(std::string("model.layers.0.self_attn.") + name + ".weight"));
    REQUIRE(found.size() == stored.size());
    for (std::size_t row = 0; row < found.size() / 32; ++row) {
      const std::size_t at = row % 8;  // rows c and c + 4 stand as 2c and 2c + 1
      const std::size_t from = row - at + (at < 4 ? 2 * at : 2 * (at - 4) + 1);
      for (std::size_t i = 0; i < 32; ++i) CHECK(found[row * 32 + i] == stored[from * 32 + i]);
    }
  }
}

TEST_CASE("the family follows from the architecture and from the biases that are there") {
  const Scene scene;
  const std::vector<std::string> inputs = {"attn_q", "attn_k", "attn_v"};
  const std::vector<std::string> all = {"attn_q", "attn_k",   "attn_v",  "attn_output",
                                        "ffn_up", "ffn_gate", "ffn_down"};
  CHECK(scene.open(with_bias(TinyGguf(), inputs)).config.architecture == "Qwen2ForCausalLM");
  const ModelConfig biased = scene.open(with_bias(TinyGguf(), all)).config;
  CHECK(biased.architecture == "LlamaForCausalLM");
  CHECK(biased.output_bias);
  CHECK(biased.mlp.has_bias);
  CHECK(scene.open(with_bias(TinyGguf("qwen2"), inputs)).config.architecture == "Qwen2ForCausalLM");
  CHECK_THAT(scene.refusal(TinyGguf("qwen2")), contains("missing") && contains("q_proj.bias"));
  CHECK_THAT(scene.refusal(with_bias(TinyGguf(), {"attn_q"})), contains("biases"));
  CHECK_THAT(scene.refusal(with_bias(TinyGguf(), {"attn_output"})), contains("biases"));
  TinyGguf window;
  window.set("attention.sliding_window", std::uint32_t{4});
  CHECK(scene.open(window).config.architecture == "MistralForCausalLM");
  CHECK(scene.open(window).config.sliding_windows == std::vector<int>{4, 4});
  window.set("attention.sliding_window", std::uint32_t{16});
  CHECK(scene.open(window).config.architecture == "LlamaForCausalLM");
  TinyGguf qwen3("qwen3");
  for (const std::string layer : {"blk.0.", "blk.1."}) {
    qwen3.add(layer + "attn_q_norm.weight", {8});
    qwen3.add(layer + "attn_k_norm.weight", {8});
  }
  CHECK(scene.open(qwen3).config.query_key_norm != QueryKeyNorm::kNone);
  qwen3.architecture = "llama";
  TinyGguf normed;
  normed.add("blk.0.attn_q_norm.weight", {8});
  CHECK_THAT(scene.refusal(normed), contains("not known") && contains("attn_q_norm"));
}

TEST_CASE("heads by layer, and projections that are one tensor") {
  const Scene scene;
  TinyGguf deci("deci");
  deci.set("attention.head_count", std::vector<std::int32_t>{4, 4});
  deci.set("attention.head_count_kv", std::vector<std::int32_t>{2, 4});
  deci.add("blk.1.attn_k.weight", {32, 32});
  deci.add("blk.1.attn_v.weight", {32, 32});
  const PretrainedModel by_layer = scene.open(deci);
  CHECK(by_layer.config.heads(0) ==
        LayerHeads{4, 2, by_layer.config.head_dim, by_layer.config.head_dim});
  CHECK(by_layer.config.heads(1) ==
        LayerHeads{4, 4, by_layer.config.head_dim, by_layer.config.head_dim});
  deci.set("attention.head_count_kv", std::vector<std::int32_t>{2, 0});
  CHECK_THAT(scene.refusal(deci), contains("head_count_kv"));
  deci.set("attention.head_count_kv", std::vector<std::int32_t>{2});
  CHECK_THAT(scene.refusal(deci), contains("2 numbers, one for each layer"));

  TinyGguf fused("openelm");
  for (const std::string layer : {"blk.0.", "blk.1."}) {
    for (const char* part : {"attn_q", "attn_k", "attn_v"}) {
      fused.remove_tensor(layer + part + ".weight");
      if (part != std::string("attn_v")) fused.add(layer + part + "_norm.weight", {8});
    }
    fused.add(layer + "attn_qkv.weight", {64, 32}, GgmlType::kQ8_0);
  }
  const PretrainedModel parts = scene.open(fused);
  CHECK(parts.config.architecture == "Qwen3ForCausalLM");
  const auto whole = fused.bytes_of("blk.1.attn_qkv.weight");
  std::vector<float> values(64 * 32);
  read_blocks(GgmlType::kQ8_0, whole, values);
  const auto rows = [&](std::size_t first, std::size_t last) {
    return std::vector<float>(values.begin() + static_cast<std::ptrdiff_t>(first * 32),
                              values.begin() + static_cast<std::ptrdiff_t>(last * 32));
  };
  const auto own = [&](const char* name) {
    return to_floats(parts.tensor(std::string("model.layers.1.self_attn.") + name + ".weight"));
  };
  CHECK(own("q_proj") == rows(0, 32));
  CHECK(own("k_proj") == rows(32, 48));
  CHECK(own("v_proj") == rows(48, 64));
}

TEST_CASE("the numbers behind factors of the rotary frequencies are found again") {
  for (const auto& [theta, dimensions, factor, low, high, context] :
       {std::tuple(500000.0, 128, 8.0, 1.0, 4.0, 8192.0),
        std::tuple(500000.0, 64, 32.0, 1.0, 4.0, 8192.0),
        std::tuple(10000.0, 64, 4.0, 1.0, 2.5, 2048.0), std::tuple(100.0, 4, 8.0, 1.0, 4.0, 16.0),
        std::tuple(10000.0, 8, 8.0, 1.0, 4.0, 64.0)}) {
    const auto factors = llama3_factors(theta, dimensions, factor, low, high, context);
    const json found = scaling_of_factors(factors_tensor(factors), theta, dimensions, 4096, "file");
    REQUIRE(found["rope_type"] == "llama3");
    const auto again =
        llama3_factors(theta, dimensions, found["factor"], found["low_freq_factor"],
                       found["high_freq_factor"], found["original_max_position_embeddings"]);
    for (std::size_t i = 0; i < factors.size(); ++i) {
      CHECK(std::abs(again[i] - factors[i]) <= 1e-5 * factors[i]);
    }
    if (dimensions < 64) continue;  // few frequencies allow several
    CHECK(found["factor"] == factor);
    CHECK(found["high_freq_factor"] == high);
    CHECK(found["original_max_position_embeddings"] == context);
  }
  const std::vector<float> ones(4, 1.0F);
  CHECK(scaling_of_factors(factors_tensor(ones), 10000, 8, 4096, "file").is_null());
}

TEST_CASE("factors of the rotary frequencies that are not Llama 3's are kept one by one") {
  for (const std::vector<float>& factors :
       {std::vector<float>{0.5F, 1, 1, 1}, std::vector<float>{1, 3, 2, 4}}) {
    const json found = scaling_of_factors(factors_tensor(factors), 10000, 8, 4096, "file");
    CHECK(found == json{{"rope_type", "longrope"},
                        {"short_factor", factors},
                        {"long_factor", factors},
                        {"attention_factor", 1.0},
                        {"original_max_position_embeddings", 4096}});
  }
  const auto refusal = [](const std::vector<float>& factors, std::int64_t dimensions) {
    return error_message<InputError>(
        [&] { scaling_of_factors(factors_tensor(factors), 10000, dimensions, 4096, "file"); });
  };
  CHECK_THAT(refusal({1, 3, 2, 4}, 16), contains("rope_freqs") && contains("[8] of F32"));
  for (const float bad : {0.0F, -1.0F, INFINITY, NAN}) {
    CHECK_THAT(refusal({1, bad, 1, 1}, 8), contains("rope_freqs") && contains("positive numbers"));
  }
}

TEST_CASE("what a GGUF file says that is not known is refused by name") {
  const Scene scene;
  const auto refusal = [&](const char* key, GgufValue value) {
    TinyGguf model;
    model.set(key, std::move(value));
    return scene.refusal(model);
  };
  const auto without = [&](const char* key) {
    TinyGguf model;
    model.remove(key);
    return scene.refusal(model);
  };
  CHECK_THAT(scene.refusal(TinyGguf("mamba")), contains("mamba") && contains("llama, deci"));
  CHECK_THAT(refusal("expert_count", std::uint32_t{8}), contains("llama.expert_count"));
  CHECK_THAT(refusal("attention.clamp_kqv", 8.0F), contains("llama.attention.clamp_kqv"));
  CHECK_THAT(refusal("rope.scaling.type", std::string("yarn")), contains("yarn"));
  CHECK_THAT(refusal("attention.value_length", std::uint32_t{4}), contains("value_length"));
  CHECK_THAT(refusal("split.count", std::uint32_t{3}), contains("split.count"));
  CHECK_THAT(refusal("block_count", std::string("two")), contains("block_count"));
  CHECK_THAT(refusal("block_count", std::uint32_t{3}), contains("3 layers"));
  CHECK_THAT(refusal("attention.head_count", std::uint32_t{5}), contains("head_count"));
  CHECK_THAT(refusal("rope.dimension_count", std::uint32_t{4}), contains("partial_rotary_factor"));
  for (const char* key :
       {"block_count", "embedding_length", "context_length", "feed_forward_length",
        "attention.head_count", "attention.layer_norm_rms_epsilon"}) {
    CHECK_THAT(without(key), contains(std::string("llama.") + key));
  }
  CHECK_THAT(without("general.architecture"), contains("general.architecture"));
  TinyGguf linear;
  linear.set("rope.scaling.type", std::string("linear"));
  linear.set("rope.scaling.factor", 4.0F);
  CHECK(scene.config(linear)["rope_scaling"] == json({{"rope_type", "linear"}, {"factor", 4.0}}));

  TinyGguf unknown;
  unknown.add("blk.0.ffn_gate_inp.weight", {8, 32});
  CHECK_THAT(scene.refusal(unknown), contains("blk.0.ffn_gate_inp.weight"));
  TinyGguf lacking;
  lacking.remove_tensor("blk.1.attn_v.weight");
  CHECK_THAT(scene.refusal(lacking), contains("blk.N.attn_v.weight"));
  lacking.remove_tensor("blk.0.attn_v.weight");
  CHECK_THAT(scene.refusal(lacking), contains("v_proj"));
  TinyGguf narrow;
  narrow.add("blk.0.ffn_down.weight", {32, 32});
  CHECK_THAT(scene.refusal(narrow), contains("[32, 64]"));
}

TEST_CASE("a GGUF file that is broken, or of another kind, is refused") {
  const Scene scene;
  std::string bytes = scene.bytes(TinyGguf());
  CHECK_THAT(scene.refusal_of_bytes(""), contains("ends within its header"));
  CHECK_THAT(scene.refusal_of_bytes("GGML" + bytes.substr(4)), contains("not a GGUF file"));
  CHECK_THAT(scene.refusal_of_bytes(bytes.substr(0, 100)), contains("ends within its header"));
  CHECK_THAT(scene.refusal_of_bytes(bytes.substr(0, bytes.size() - 4000)), contains("cut short"));
  std::string other = bytes;
  other[4] = 1;
  CHECK_THAT(scene.refusal_of_bytes(other), contains("version 1"));
  other[4] = 0;
  other[7] = 3;
  CHECK_THAT(scene.refusal_of_bytes(other), contains("big-endian"));
  // The type of the last tensor stands 12 bytes before the end of its entry.
  const std::string name = "token_embd.weight";
  const std::size_t at = bytes.find(name) + name.size() + 4 + 16;
  other = bytes;
  other[at] = 10;
  for (const auto& [number, type] : std::map<int, std::string>{{9, "Q8_1"},
                                                               {10, "Q2_K"},
                                                               {11, "Q3_K"},
                                                               {15, "Q8_K"},
                                                               {16, "IQ2_XXS"},
                                                               {17, "IQ2_XS"},
                                                               {18, "IQ3_XXS"},
                                                               {19, "IQ1_S"},
                                                               {20, "IQ4_NL"},
                                                               {21, "IQ3_S"},
                                                               {22, "IQ2_S"},
                                                               {23, "IQ4_XS"},
                                                               {29, "IQ1_M"},
                                                               {34, "TQ1_0"},
                                                               {35, "TQ2_0"},
                                                               {39, "MXFP4"},
                                                               {99, "type 99 of ggml"}}) {
    other[at] = static_cast<char>(number);
    CHECK_THAT(scene.refusal_of_bytes(other),
               contains("found: " + type) && contains(name) && contains("Q4_K, Q5_K"));
  }
  other = bytes;
  other[at + 4] = 64;
  CHECK_THAT(scene.refusal_of_bytes(other), contains("does not stand behind"));
}

TEST_CASE("numbers in blocks that are not finite are found") {
  const Scene scene;
  TinyGguf tiny;
  tiny.add("blk.1.attn_k.weight", {16, 32}, GgmlType::kQ8_0);
  const PretrainedModel model = scene.open(tiny);
  const TensorView& clean = model.tensor("model.layers.1.self_attn.k_proj.weight");
  CHECK_FALSE(first_not_finite(clean));
  auto broken = tiny.bytes_of("blk.1.attn_k.weight");
  broken[34 * 3] = std::byte{0};
  broken[34 * 3 + 1] = std::byte{0x7c};  // the scale of the block that is row 3
  broken[34 * 3 + 2] = std::byte{1};
  TensorView view = clean;
  view.bytes = broken;
  // Stored row 3 of a head of 8 is row 5.
  CHECK(first_not_finite(view) == 5 * 32);
}
