#include <functional>

#include "models/architecture/architecture_spec.hpp"
#include "models/architecture/config_keys.hpp"
#include "models/architecture/families/families.hpp"
#include "models/pretrained/pretrained_model.hpp"
#include "search/base/error.hpp"
#include "tests/fixtures/tiny_family.hpp"
#include "tests/fixtures/tiny_llama.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/error_message.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace regroup;
using namespace regroup::models;
using namespace regroup::tests;
using nlohmann::json;

namespace {

ModelConfig read(const json& config) {
  return read_model_config(config, find_architecture(config, "config.json"), "config.json");
}

json changed(const std::function<void(json&)>& change) {
  json config = TinyLlama().config();
  change(config);
  return config;
}

std::string refusal(const std::function<void(json&)>& change) {
  return error_message<InputError>([&] { read(changed(change)); });
}

}  // namespace

TEST_CASE("config.json of a Llama is read, absent fields derived") {
  const ModelConfig config = read(changed([](json& c) {
    c["hidden_size"] = 24;
    c.erase("head_dim");
    c.erase("num_key_value_heads");
    c.erase("tie_word_embeddings");
  }));
  CHECK(config.head_dim == 6);
  CHECK(config.kv_heads == 4);
  CHECK_FALSE(config.tied_embeddings);
  CHECK(config.bos == 1);
  CHECK_FALSE(
      read(changed([](json& c) { c["bos_token_id"] = 20; })).bos);  // outside the vocabulary
  CHECK(kv_bytes_per_token(config, 16, DType::kBF16) == 16 * 6 * 2);
}

TEST_CASE("both dialects of rotary options are read") {
  const ModelConfig older = read(changed([](json& c) {
    c["rope_scaling"] = {{"rope_type", "llama3"},
                         {"factor", 8.0},
                         {"low_freq_factor", 1.0},
                         {"high_freq_factor", 4.0},
                         {"original_max_position_embeddings", 32}};
  }));
  const ModelConfig newer = read(changed([](json& c) {
    c.erase("rope_theta");
    c["rope_parameters"] = {{"rope_type", "llama3"},   {"rope_theta", 100.0},
                            {"factor", 8.0},           {"low_freq_factor", 1.0},
                            {"high_freq_factor", 4.0}, {"original_max_position_embeddings", 32}};
  }));
  for (const ModelConfig& config : {older, newer}) {
    CHECK(config.rotary.theta == 100);
    const auto* scaling = std::get_if<Llama3RotaryScaling>(&config.rotary.scaling);
    REQUIRE(scaling != nullptr);
    CHECK(scaling->factor == 8);
    CHECK(scaling->original_context == 32);
  }
}

TEST_CASE("what is not supported is refused by name") {
  CHECK_THAT(refusal([](json& c) { c["architectures"] = {"RwkvForCausalLM"}; }),
             contains("RwkvForCausalLM"));
  CHECK_THAT(refusal([](json& c) { c["architectures"] = {"RwkvForCausalLM"}; }),
             contains("LlamaForCausalLM"));
  CHECK_THAT(refusal([](json& c) {
               c.erase("architectures");
               c["model_type"] = "rwkv";
             }),
             contains("rwkv"));
  CHECK_THAT(refusal([](json& c) {
               c["quantization_config"] = {{"bits", 4}};
             }),
             contains("quantization_config"));
  CHECK_THAT(refusal([](json& c) {
               c["rope_scaling"] = {{"type", "mrope"}, {"factor", 2}};
             }),
             contains("mrope"));
  CHECK_THAT(refusal([](json& c) {
               c["rope_scaling"] = {{"rope_type", "dynamic"}};
             }),
             contains("factor"));
  CHECK_THAT(refusal([](json& c) { c["partial_rotary_factor"] = 0.5; }),
             contains("partial_rotary_factor"));
  CHECK_THAT(refusal([](json& c) { c["hidden_act"] = "gelu"; }), contains("gelu"));
  CHECK_THAT(refusal([](json& c) { c["num_local_experts"] = 8; }), contains("num_local_experts"));
  CHECK_NOTHROW(read(changed([](json& c) { c["quantization_config"] = nullptr; })));
}

TEST_CASE("fields that contradict each other or make no sense are refused") {
  CHECK_THAT(refusal([](json& c) { c["num_key_value_heads"] = 3; }), contains("does not divide"));
  CHECK_THAT(refusal([](json& c) {
               c.erase("head_dim");
               c["hidden_size"] = 14;
             }),
             contains("does not divide"));
  CHECK_THAT(refusal([](json& c) { c["head_dim"] = 3; }), contains("even"));
  CHECK_THAT(refusal([](json& c) { c["num_hidden_layers"] = 0; }), contains("num_hidden_layers"));
  CHECK_THAT(refusal([](json& c) { c["num_hidden_layers"] = -2; }), contains("-2"));
  CHECK_THAT(refusal([](json& c) { c["hidden_size"] = 1e30; }), contains("hidden_size"));
  CHECK_THAT(refusal([](json& c) { c["vocab_size"] = "many"; }), contains("vocab_size"));
  CHECK_THAT(refusal([](json& c) { c["bos_token_id"] = "first"; }), contains("bos_token_id"));
  CHECK_THAT(refusal([](json& c) { c["rms_norm_eps"] = -1; }), contains("rms_norm_eps"));
}

TEST_CASE("what config.json leaves out is what the family's class has") {
  const ModelConfig llama = read(changed([](json& c) { c.erase("rms_norm_eps"); }));
  CHECK(llama.norm_epsilon == 1e-6);
  const ModelConfig bert = read({{"architectures", {"BertForMaskedLM"}}, {"hidden_size", 24}});
  CHECK(bert.norm_epsilon == 1e-12);
  CHECK(bert.layers == 12);
  CHECK(bert.mlp.activation == Activation::kGelu);
  const ModelConfig gpt2 = read({{"model_type", "gpt2"}, {"n_embd", 24}});
  CHECK(gpt2.architecture == "GPT2LMHeadModel");
  CHECK(gpt2.mlp.width == 4 * 24);
  CHECK(gpt2.mlp.activation == Activation::kTanhGelu);
  // A window that the class has of its own, and a null that takes it away.
  const json mistral = {{"architectures", {"MistralForCausalLM"}}};
  CHECK(read(mistral).sliding_window(0) == 4096);
  json without = mistral;
  without["sliding_window"] = nullptr;
  CHECK(read(without).sliding_window(0) == 0);
}

TEST_CASE("keys have the names that the class knows them by, and all others are found out") {
  const ModelConfig gpt2 = read({{"architectures", {"GPT2LMHeadModel"}},
                                 {"hidden_size", 24},
                                 {"num_hidden_layers", 3},
                                 {"num_attention_heads", 4}});
  CHECK(gpt2.width == 24);
  CHECK(gpt2.layers == 3);
  json config = TinyLlama().config();
  config["attention_sink"] = 4;
  config["rotary_pct"] = 0.5;  // GPT-NeoX's name, which a Llama does not know
  config["attention_dropout"] = 0.1;
  config["temperature"] = 0.7;
  CHECK(unknown_keys(config, find_architecture(config, "config.json")) ==
        std::vector<std::string>{"attention_sink", "rotary_pct"});
  config["attention_bias"] = nullptr;
  config["tie_word_embeddings"] = nullptr;
  CHECK_FALSE(read(config).input_bias);
  CHECK_FALSE(read(config).tied_embeddings);
}

TEST_CASE("a key that would change the forward pass is refused unless it says what is computed") {
  const auto gpt2 = [](const char* key, const json& value) {
    return json{{"architectures", {"GPT2LMHeadModel"}}, {"n_embd", 24}, {key, value}};
  };
  CHECK(read(gpt2("scale_attn_weights", false)).score_scale() == 1);
  CHECK_THAT(
      error_message<InputError>([&] { read(gpt2("scale_attn_by_inverse_layer_idx", true)); }),
      contains("scale_attn_by_inverse_layer_idx"));
  CHECK_NOTHROW(read(gpt2("scale_attn_by_inverse_layer_idx", false)));
  CHECK_THAT(error_message<InputError>([&] {
               read(gpt2("pruned_heads", {{"0", {1}}}));
             }),
             contains("pruned_heads"));
  const json opt = {{"architectures", {"OPTForCausalLM"}}, {"enable_bias", false}};
  CHECK_THAT(error_message<InputError>([&] { read(opt); }), contains("enable_bias"));
}

TEST_CASE("rotary settings have the precedence that transformers gives them") {
  const auto theta = [](const std::function<void(json&)>& change) {
    return read(changed([&](json& c) {
             c.erase("rope_theta");
             change(c);
           }))
        .rotary.theta;
  };
  CHECK(theta([](json&) {}) == 10000);
  CHECK(theta([](json& c) { c["rope_theta"] = 500; }) == 500);
  CHECK(theta([](json& c) {
          c["rope_theta"] = 500;
          c["rope_parameters"] = {{"rope_type", "default"}};
        }) == 500);
  CHECK(theta([](json& c) {
          c["rope_theta"] = 500;
          c["rope_parameters"] = {{"rope_type", "default"}, {"rope_theta", 700}};
        }) == 700);
  // The older object counts where both are there.
  const ModelConfig both = read(changed([](json& c) {
    c["rope_scaling"] = {{"rope_type", "linear"}, {"factor", 4}};
    c["rope_parameters"] = {{"rope_type", "default"}, {"rope_theta", 700}};
    c["rope_theta"] = 500;
  }));
  CHECK(both.rotary.theta == 500);
  CHECK(std::get<LinearRotaryScaling>(both.rotary.scaling).factor == 4);
  // Where the original context stands in two places, the one beside the other sizes counts.
  const ModelConfig yarn = read(changed([](json& c) {
    c["rope_scaling"] = {{"type", "yarn"}, {"factor", 4}, {"original_max_position_embeddings", 32}};
    c["original_max_position_embeddings"] = 8;
  }));
  CHECK(std::get<YarnRotaryScaling>(yarn.rotary.scaling).original_context == 8);
}

TEST_CASE("tensors that are missing or of another shape or type are refused by name") {
  const TemporaryDirectory scratch;
  const TinyLlama shape;
  shape.write(scratch.path());
  scratch.write("config.json", changed([](json& c) { c["vocab_size"] = 21; }).dump());
  CHECK_THAT(error_message<InputError>([&] { open_model(scratch.path()); }),
             contains("model.embed_tokens.weight"));
  scratch.write("config.json", changed([](json& c) { c["num_hidden_layers"] = 3; }).dump());
  CHECK_THAT(error_message<InputError>([&] { open_model(scratch.path()); }),
             contains("model.layers.2"));
  scratch.write("config.json", changed([](json& c) { c["tie_word_embeddings"] = false; }).dump());
  CHECK_THAT(error_message<InputError>([&] { open_model(scratch.path()); }),
             contains("lm_head.weight"));
  TinyLlama wide = shape;
  wide.dtype = DType::kF64;
  wide.write(scratch.path());
  CHECK(open_model(scratch.path()).dtype == DType::kF64);
}

TEST_CASE("sliding windows and biases are read as each family says them") {
  const auto read_as = [](const TinyLlama& shape, const std::function<void(json&)>& change) {
    json config = shape.config();
    change(config);
    return read(config);
  };
  const auto nothing = [](json&) {};
  const ModelConfig mistral = read_as(TinyLlama::mistral(), nothing);
  CHECK(mistral.sliding_windows == std::vector{3, 3});
  CHECK_FALSE(mistral.input_bias);
  CHECK(read_as(TinyLlama::mistral(), [](json& c) {
          c["sliding_window"] = nullptr;
        }).sliding_window(1) == 0);

  const ModelConfig qwen2 = read_as(TinyLlama::qwen2(), nothing);
  CHECK(qwen2.input_bias);
  CHECK_FALSE(qwen2.output_bias);
  CHECK(qwen2.sliding_windows == std::vector{4, 4});
  CHECK(read_as(TinyLlama::qwen2(), [](json& c) { c["max_window_layers"] = 1; }).sliding_windows ==
        std::vector{0, 4});
  CHECK(read_as(TinyLlama::qwen2(), [](json& c) {
          c["layer_types"] = {"sliding_attention", "full_attention"};
        }).sliding_windows == std::vector{4, 0});
  CHECK(read_as(TinyLlama::qwen2(), [](json& c) {
          c["use_sliding_window"] = false;
        }).sliding_windows.empty());
  const auto refused = [&](const std::function<void(json&)>& change) {
    return error_message<InputError>([&] { read_as(TinyLlama::qwen2(), change); });
  };
  CHECK_THAT(refused([](json& c) { c["layer_types"] = {"full_attention"}; }),
             contains("layer_types"));
  CHECK_THAT(refused([](json& c) {
               c["layer_types"] = {"full_attention", "chunked_attention"};
             }),
             contains("chunked_attention"));
  CHECK_THAT(refused([](json& c) { c["sliding_window"] = 0; }), contains("sliding_window"));
}

namespace {

/// A Gemma 3 of two layers, the first with a window of five tokens.
json gemma3(const json& rotary) {
  json config = tiny_config("Gemma3ForCausalLM");
  config.update(rotary);
  return config;
}

}  // namespace

TEST_CASE("rotary settings by kind of layer are read in both dialects") {
  const json older = {{"rope_theta", 1000.0},
                      {"rope_local_base_freq", 100.0},
                      {"rope_scaling", {{"rope_type", "linear"}, {"factor", 8.0}}}};
  const json newer = {
      {"rope_parameters",
       {{"full_attention", {{"rope_type", "linear"}, {"factor", 8.0}, {"rope_theta", 1000.0}}},
        {"sliding_attention", {{"rope_type", "default"}, {"rope_theta", 100.0}}}}}};
  for (const json& rotary : {older, newer}) {
    const ModelConfig config = read(gemma3(rotary));
    REQUIRE(config.rotary_by_layer.size() == 2);
    const RotaryConfig& sliding = config.rotary_by_layer[0];
    const RotaryConfig& full = config.rotary_by_layer[1];
    CHECK(sliding.theta == 100);
    CHECK_FALSE(sliding.is_scaled());
    CHECK(full.theta == 1000);
    REQUIRE(std::holds_alternative<LinearRotaryScaling>(full.scaling));
    CHECK(std::get<LinearRotaryScaling>(full.scaling).factor == 8);
  }
  const ModelConfig usual = read(gemma3(json::object()));
  CHECK(usual.rotary_by_layer[0].theta == 1e4);
  CHECK(usual.rotary_by_layer[1].theta == 1e6);
}

TEST_CASE("rotary settings by kind of layer are refused where a family has one for all") {
  for (const char* kind : {"full_attention", "sliding_attention"}) {
    CHECK_THAT(refusal([&](json& c) {
                 c["rope_parameters"] = {{kind, {{"rope_type", "default"}, {"rope_theta", 100.0}}}};
               }),
               contains("rotary settings by kind of layer are not supported") &&
                   contains("rope_parameters"));
  }
}
