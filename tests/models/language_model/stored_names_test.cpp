// Checkpoints that call or store tensors otherwise than the family does, as transformers loads
// them.

#include <algorithm>
#include <cmath>
#include <fstream>
#include <functional>
#include <map>

#include "models/architecture/families/families.hpp"
#include "models/checkpoint/safetensors_writer.hpp"
#include "models/convert/convert.hpp"
#include "models/images/image_set.hpp"
#include "models/language_model/language_model.hpp"
#include "models/language_model/merger.hpp"
#include "models/layers/layer_head_maps.hpp"
#include "models/merge/operators/merge_table.hpp"
#include "models/overlay/weight_overlay.hpp"
#include "search/base/error.hpp"
#include "tests/fixtures/random_checkpoint.hpp"
#include "tests/fixtures/tiny_family.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/distance.hpp"
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

/// What a model says of one input of its kind.
std::vector<float> logits_of(const LanguageModel& model) {
  const ModelConfig& config = model.config();
  if (config.kind == ModelKind::kImage) {
    const Windows images = random_windows(config, 1, 3);
    return model.logits({{}, {}, images.images().pixels(0), {}});
  }
  ForwardInput input{kIds, {}, {}, {}};
  if (has_decoder(config.kind)) input.decoder_ids = {0, 4, 6};
  return model.logits(input);
}

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
  LanguageModel model(const json& changed, const Tensors& stored) const {
    return {std::make_shared<const PretrainedModel>(opened(changed, stored)), ComputeOptions{}};
  }
  std::vector<float> logits(const json& changed, const Tensors& stored) const {
    return logits_of(model(changed, stored));
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

Tensors without_prefix(const Tensors& tensors, std::string_view prefix) {
  return renamed(tensors, [&](const std::string& name) {
    return name.starts_with(prefix) ? name.substr(prefix.size()) : name;
  });
}

/// Pairs of heads in all layers, or in the last one all heads in one group.
search::Grouping grouping_of(const ModelConfig& config, bool by_layer) {
  const auto pairs = search::Partition::parse(config.kv_heads == 4 ? "0 3 | 1 2" : "0 1");
  auto grouping = search::Grouping::uniform(config.layers, pairs);
  const auto all = search::Partition::one_group(config.kv_heads);
  if (by_layer) grouping.layers.back() = {all, all};
  return grouping;
}

/// Converts the model with grouped heads. The result computes what the grouped model computes, of
/// tensors with the source's names.
PretrainedModel checked_conversion(const LanguageModel& source, bool by_layer = false) {
  const auto grouping = grouping_of(source.config(), by_layer);
  const auto merged =
      merge_plainly(source.shared_pretrained(), grouping, MergeRecipe(find_merge("mean")));
  const Layout layout = default_layout(head_maps(grouping, source.config()), source.config());
  const TemporaryDirectory target;
  search::SilentProgress silent;
  convert_checkpoint(source.pretrained(), *merged, layout, {}, target.path(), {}, silent);
  const LanguageModel converted(std::make_shared<const PretrainedModel>(open_model(target.path())),
                                ComputeOptions{});
  CHECK(converted.pretrained().checkpoint.names() == source.pretrained().checkpoint.names());
  CHECK(converted.config().has_head == source.config().has_head);
  CHECK(converted.config().tied_embeddings == source.config().tied_embeddings);
  const std::vector<float> grouped = logits_of(source.with_overlay(*merged));
  CHECK(distance(logits_of(converted), grouped) < 1e-5);
  CHECK(distance(logits_of(source), grouped) > 1e-3);
  return open_model(target.path());
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
    checked_conversion(scene.model(scene.config, old));
  }
}

TEST_CASE("names may lack the base model's own, in any family") {
  for (const auto& [architecture, prefix] :
       {std::pair("LlamaForCausalLM", "model."), std::pair("GPT2LMHeadModel", "transformer."),
        std::pair("BertForMaskedLM", "bert."), std::pair("PhiForCausalLM", "model.")}) {
    CAPTURE(architecture);
    const Scene scene(architecture);
    const Tensors bare = without_prefix(scene.tensors, prefix);
    CHECK(scene.logits(scene.config, bare) == scene.logits());
    checked_conversion(scene.model(scene.config, bare));
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
  checked_conversion(scene.model(scene.config, head_alone));

  Tensors both = scene.tensors;
  both["lm_head.weight"] = both.at(table);
  CHECK(scene.logits(scene.config, both) == scene.logits());
  for (float& value : both.at("lm_head.weight").values) value = -value;
  const PretrainedModel differs = scene.opened(scene.config, both);
  CHECK_FALSE(differs.config.tied_embeddings);
  std::vector<float> negated = scene.logits();
  for (float& value : negated) value = -value;
  CHECK(scene.logits(scene.config, both) == negated);
  // The flag goes along as it stands: transformers ties no head that is stored with other numbers.
  const PretrainedModel converted = checked_conversion(scene.model(scene.config, both));
  CHECK(converted.checkpoint.config().at("tie_word_embeddings") == true);
  CHECK(to_floats(converted.tensor("lm_head.weight")) == both.at("lm_head.weight").values);
  CHECK(to_floats(converted.tensor(table)) == both.at(table).values);

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
      checked_conversion(scene->model(scene->config, moved));
    }
  }
}

TEST_CASE("encoder and decoder may store one table each, with the same numbers") {
  const Scene scene("T5ForConditionalGeneration");
  for (const bool has_shared : {true, false}) {
    Tensors both = scene.tensors;
    const Stored table = both.at("shared.weight");
    if (!has_shared) both.erase("shared.weight");
    both["encoder.embed_tokens.weight"] = both["decoder.embed_tokens.weight"] = table;
    CHECK(scene.logits(scene.config, both) == scene.logits());
    both["decoder.embed_tokens.weight"].values.back() += 1;
    CHECK_THROWS_WITH(scene.opened(scene.config, both),
                      contains("token tables of their own") && contains("decoder.embed_tokens"));
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

TEST_CASE("a BERT for pre-training is read as one for masked tokens, and keeps what it has more") {
  const Scene scene("BertForMaskedLM");
  json config = scene.config;
  config["architectures"] = {"BertForPreTraining"};
  Tensors stored = scene.tensors;
  const std::vector<float> square(16 * 16, 0.25F);
  stored["bert.pooler.dense.weight"] = {{16, 16}, square};
  stored["bert.pooler.dense.bias"] = {{16}, std::vector(16, 0.5F)};
  stored["cls.seq_relationship.weight"] = {{2, 16}, std::vector(32, 0.75F)};
  stored["cls.seq_relationship.bias"] = {{2}, std::vector(2, 1.0F)};
  CHECK(scene.logits(config, stored) == scene.logits());
  // As transformers saves it: the head's copies of the token table and of its own bias, too.
  stored["cls.predictions.decoder.weight"] =
      scene.tensors.at("bert.embeddings.word_embeddings.weight");
  stored["cls.predictions.decoder.bias"] = scene.tensors.at("cls.predictions.bias");
  CHECK(scene.logits(config, stored) == scene.logits());
  const PretrainedModel converted = checked_conversion(scene.model(config, stored));
  CHECK(converted.config.architecture == "BertForMaskedLM");
  CHECK(converted.checkpoint.config().at("architectures") == config["architectures"]);
  CHECK(to_floats(converted.tensor("bert.pooler.dense.weight")) == square);
  CHECK(to_floats(converted.tensor("cls.seq_relationship.bias")) == std::vector(2, 1.0F));
}

namespace {

/// The tensors that the model has without its head.
Tensors body_of(const Scene& scene, const json& base) {
  Tensors body;
  for (const ExpectedTensor& tensor : tensors_of(base)) {
    body[tensor.name] = scene.tensors.at(tensor.name);
  }
  return body;
}

}  // namespace

TEST_CASE("a decoder without a head is read with its own name and without, and converted") {
  int families = 0;
  for (const ArchitectureSpec& spec : regroup::models::families()) {
    if (spec.kind != ModelKind::kCausal) continue;
    CAPTURE(spec.architecture);
    REQUIRE_FALSE(spec.base_architecture.empty());
    const Scene scene(spec.architecture);
    json base = scene.config;
    base["architectures"] = {spec.base_architecture};
    const Tensors body = body_of(scene, base);
    CHECK(body.size() <= scene.tensors.size());
    const Tensors bare = without_prefix(body, spec.base_prefix);
    REQUIRE(bare.begin()->first != body.begin()->first);
    const LanguageModel model = scene.model(base, bare);
    const std::vector<float> hidden = logits_of(model);
    CHECK(hidden.size() == kIds.size() * static_cast<std::size_t>(model.config().width));
    // What the whole checkpoint has besides is left alone.
    CHECK(hidden == scene.logits(base, scene.tensors));
    checked_conversion(model);
    const PretrainedModel by_layer = checked_conversion(model, true);
    if (model.config().names_kv_heads) CHECK(by_layer.config.heads(1).kv == 1);
    ++families;
  }
  CHECK(families == 26);
}

namespace {

using Row = std::vector<double>;

/// W·x + b by plain loops; the names are those of both tensors.
Row mapped(const Scene& scene, const std::string& weight, const std::string& bias, const Row& x) {
  const std::vector<float>& matrix = scene.tensors.at(weight).values;
  const std::vector<float>& offsets = scene.tensors.at(bias).values;
  Row result(offsets.begin(), offsets.end());
  REQUIRE(matrix.size() == result.size() * x.size());
  for (std::size_t i = 0; i < matrix.size(); ++i) {
    result[i / x.size()] += matrix[i] * x[i % x.size()];
  }
  return result;
}

/// The dense layer, exact GELU and norm that stand before a masked model's token table.
Row before_table(const Scene& scene, const ModelModules& names, const Row& hidden) {
  const std::string dense(names.head_dense);
  const std::string norm(names.head_norm);
  Row x = mapped(scene, dense + ".weight", dense + ".bias", hidden);
  double mean = 0;
  double square = 0;
  for (double& value : x) {
    value *= 0.5 * (1 + std::erf(value / std::sqrt(2.0)));
    mean += value / static_cast<double>(x.size());
    square += value * value / static_cast<double>(x.size());
  }
  const double deviation = std::sqrt(square - mean * mean);
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = (x[i] - mean) / deviation * scene.tensors.at(norm + ".weight").values[i] +
           scene.tensors.at(norm + ".bias").values[i];
  }
  return x;
}

/// What a model without a head says, position by position.
std::vector<Row> hidden_rows(const LanguageModel& base) {
  const std::vector<float> all = logits_of(base);
  // Of an image it is what a head reads: the class token, of DINOv2 with the mean of the patches.
  const bool is_image = base.config().kind == ModelKind::kImage;
  const std::size_t width = is_image ? all.size() : static_cast<std::size_t>(base.config().width);
  std::vector<Row> rows;
  for (std::size_t at = 0; at < all.size(); at += width) {
    rows.emplace_back(all.begin() + static_cast<std::ptrdiff_t>(at),
                      all.begin() + static_cast<std::ptrdiff_t>(at + width));
  }
  return rows;
}

void check_logits(const std::vector<Row>& expected, const std::vector<float>& found) {
  std::size_t at = 0;
  for (const Row& row : expected) {
    for (const double logit : row) CHECK(found.at(at++) == Approx(logit).margin(1e-5));
  }
  CHECK(at == found.size());
}

}  // namespace

TEST_CASE("an encoder without a head says the hidden states that the head of the whole reads") {
  for (const char* architecture : {"BertForMaskedLM", "RobertaForMaskedLM", "DistilBertForMaskedLM",
                                   "ViTForImageClassification", "Dinov2ForImageClassification"}) {
    CAPTURE(architecture);
    const Scene scene(architecture);
    const ArchitectureSpec& spec = find_architecture(scene.config, "config.json");
    json base = scene.config;
    base["architectures"] = {spec.base_architecture};
    const LanguageModel model =
        scene.model(base, without_prefix(body_of(scene, base), spec.base_prefix));
    const std::vector<Row> hidden = hidden_rows(model);
    const bool is_image = model.config().kind == ModelKind::kImage;
    const std::string bias(spec.model.head_bias);
    const std::string head(is_image ? spec.model.head : spec.model.embedding);
    std::vector<Row> logits;
    for (const Row& row : hidden) {
      const Row read = is_image ? row : before_table(scene, spec.model, row);
      logits.push_back(mapped(scene, head + ".weight", bias, read));
    }
    check_logits(logits, scene.logits());
    checked_conversion(model);
  }
}
