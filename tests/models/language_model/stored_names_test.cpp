// Checkpoints that call or store tensors otherwise than the family does, as transformers loads
// them.

#include <algorithm>
#include <fstream>
#include <functional>
#include <map>

#include "models/checkpoint/safetensors_writer.hpp"
#include "models/language_model/language_model.hpp"
#include "search/base/error.hpp"
#include "tests/fixtures/random_checkpoint.hpp"
#include "tests/fixtures/tiny_family.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/error_message.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace regroup;
using namespace regroup::models;
using namespace regroup::tests;
using nlohmann::json;

namespace {

const std::vector<std::int32_t> kIds = {1, 5, 7, 3, 9, 2};

/// A tensor as it is stored.
struct Stored {
  std::vector<std::int64_t> shape;
  std::vector<float> values;
};
using Tensors = std::map<std::string, Stored>;

/// A tiny model, and the same numbers stored in another way.
struct Scene {
  explicit Scene(std::string_view architecture) : config(tiny_config(architecture)) {
    TensorValues values = random_values(config, 5);
    for (const ExpectedTensor& tensor : tensors_of(config)) {
      tensors[tensor.name] = {tensor.shape, std::move(values.at(tensor.name))};
    }
  }

  PretrainedModel opened(const json& changed, const Tensors& stored) const {
    const auto directory = scratch.path() / std::to_string(++count);
    std::filesystem::create_directories(directory);
    std::ofstream(directory / "config.json") << changed.dump();
    std::vector<PlannedTensor> plan;
    for (const auto& [name, tensor] : stored) {
      plan.push_back(
          planned_copy(name, DType::kF32, tensor.shape, std::as_bytes(std::span(tensor.values))));
    }
    write_checkpoint_weights(directory, plan);
    return open_model(directory);
  }
  std::vector<float> logits(const json& changed, const Tensors& stored) const {
    auto model = std::make_shared<const PretrainedModel>(opened(changed, stored));
    ForwardInput input{kIds, {}, {}, {}};
    if (has_decoder(model->config.kind)) input.decoder_ids = {0, 4, 6};
    return LanguageModel(std::move(model), ComputeOptions{}).logits(input);
  }
  std::vector<float> logits() const { return logits(config, tensors); }

  /// The name of some norm's weight.
  std::string norm_name() const {
    const auto found = std::ranges::find_if(
        tensors, [](const auto& entry) { return entry.first.ends_with("LayerNorm.weight"); });
    REQUIRE(found != tensors.end());
    return found->first;
  }

  json config;
  Tensors tensors;
  TemporaryDirectory scratch;
  mutable int count = 0;
};

Tensors renamed(const Tensors& tensors, const std::function<std::string(std::string)>& change) {
  Tensors result;
  for (const auto& [name, tensor] : tensors) result[change(name)] = tensor;
  return result;
}

std::string replaced(std::string name, const std::string& from, const std::string& to) {
  const auto at = name.find(from);
  if (at != std::string::npos) name.replace(at, from.size(), to);
  return name;
}

}  // namespace

TEST_CASE("norms of old checkpoints are called gamma and beta") {
  for (const char* architecture : {"BertForMaskedLM", "RobertaForMaskedLM"}) {
    CAPTURE(architecture);
    const Scene scene(architecture);
    const Tensors old = renamed(scene.tensors, [](const std::string& name) {
      const std::string weights = replaced(name, "LayerNorm.weight", "LayerNorm.gamma");
      return replaced(weights, "LayerNorm.bias", "LayerNorm.beta");
    });
    REQUIRE_FALSE(old.contains(scene.norm_name()));
    CHECK(scene.logits(scene.config, old) == scene.logits());
  }
}

TEST_CASE("names may lack the base model's own, in any family") {
  for (const auto& [architecture, prefix] :
       {std::pair("LlamaForCausalLM", "model."), std::pair("GPT2LMHeadModel", "transformer."),
        std::pair("BertForMaskedLM", "bert."), std::pair("PhiForCausalLM", "model.")}) {
    CAPTURE(architecture);
    const Scene scene(architecture);
    const std::string own = prefix;
    const Tensors bare = renamed(scene.tensors, [&](const std::string& name) {
      return name.starts_with(own) ? name.substr(own.size()) : name;
    });
    CHECK(scene.logits(scene.config, bare) == scene.logits());
  }
}

TEST_CASE("one of a tied head and its token table is enough, two that differ are two") {
  const Scene scene("LlamaForCausalLM");
  REQUIRE(scene.config.at("tie_word_embeddings") == true);
  const std::string table = "model.embed_tokens.weight";
  const Tensors head_alone = renamed(scene.tensors, [&](const std::string& name) {
    return name == table ? std::string("lm_head.weight") : name;
  });
  CHECK(scene.logits(scene.config, head_alone) == scene.logits());

  Tensors both = scene.tensors;
  both["lm_head.weight"] = both.at(table);
  CHECK(scene.logits(scene.config, both) == scene.logits());
  for (float& value : both.at("lm_head.weight").values) value = -value;
  const PretrainedModel differs = scene.opened(scene.config, both);
  CHECK_FALSE(differs.config.tied_embeddings);
  std::vector<float> negated = scene.logits();
  for (float& value : negated) value = -value;
  CHECK(scene.logits(scene.config, both) == negated);

  json untied = scene.config;
  untied["tie_word_embeddings"] = false;
  CHECK_THAT(error_message<InputError>([&] { scene.opened(untied, scene.tensors); }),
             contains("lm_head.weight"));
}

TEST_CASE("an encoder-decoder's table may stand on one side") {
  const Scene t5("T5ForConditionalGeneration");
  const Scene bart("BartForConditionalGeneration");
  for (const auto& [scene, prefix] : {std::pair(&t5, ""), std::pair(&bart, "model.")}) {
    for (const char* side : {"encoder", "decoder"}) {
      CAPTURE(side);
      const std::string shared = std::string(prefix) + "shared.weight";
      const Tensors moved = renamed(scene->tensors, [&](const std::string& name) {
        return name == shared ? std::string(prefix) + side + ".embed_tokens.weight" : name;
      });
      REQUIRE_FALSE(moved.contains(shared));
      CHECK(scene->logits(scene->config, moved) == scene->logits());
    }
  }
}

TEST_CASE("without an architecture the model type says the family, and what is stored its head") {
  const Scene scene("BertForMaskedLM");
  json typed = scene.config;
  typed.erase("architectures");
  typed["model_type"] = "bert";
  CHECK(scene.logits(typed, scene.tensors) == scene.logits());
  Tensors body;
  for (const auto& [name, tensor] : scene.tensors) {
    if (name.starts_with("bert.")) body[name] = tensor;
  }
  const PretrainedModel headless = scene.opened(typed, body);
  CHECK_FALSE(headless.config.has_head);
}

TEST_CASE("a base model says its last hidden states, which the head of the whole one reads") {
  const Scene scene("LlamaForCausalLM");
  json base = scene.config;
  base["architectures"] = {"LlamaModel"};
  const std::vector<float> hidden = scene.logits(base, scene.tensors);
  const std::vector<float> logits = scene.logits();
  const Stored& table = scene.tensors.at("model.embed_tokens.weight");
  const auto width = static_cast<std::size_t>(table.shape[1]);
  const auto vocabulary = static_cast<std::size_t>(table.shape[0]);
  REQUIRE(hidden.size() == kIds.size() * width);
  for (std::size_t i = 0; i < logits.size(); ++i) {
    double sum = 0;
    for (std::size_t c = 0; c < width; ++c) {
      sum += static_cast<double>(hidden[i / vocabulary * width + c]) *
             table.values[i % vocabulary * width + c];
    }
    CHECK(logits[i] == Approx(sum).margin(1e-5));
  }
}
