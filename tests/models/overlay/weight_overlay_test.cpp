// Overlays: what a model computes with another tensor, and what is written of it.

#include "models/overlay/weight_overlay.hpp"

#include <set>

#include "models/checkpoint/safetensors_writer.hpp"
#include "models/convert/convert.hpp"
#include "models/elements/conversion.hpp"
#include "models/language_model/merger.hpp"
#include "models/merge/operators/merge_table.hpp"
#include "models/tensors/tensors.hpp"
#include "search/base/error.hpp"
#include "tests/models/overlay/overlay_scene.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/error_message.hpp"

using namespace regroup;
using namespace regroup::models;
using namespace regroup::tests;
using search::Grouping;
using search::Partition;

namespace {

/// The model under the overlay, written and opened again.
std::shared_ptr<const PretrainedModel> rewritten(const OverlayScene& scene,
                                                 const WeightOverlay& overlay) {
  const auto target = scene.scratch.path() / "written";
  std::filesystem::create_directories(target);
  search::SilentProgress silent;
  convert_checkpoint(*scene.model, overlay, Layout::kStandard, {}, target, {}, silent);
  return std::make_shared<const PretrainedModel>(open_model(target));
}

std::string module_of_part(const std::string& name) {
  return name.substr(0, name.find('#'));
}

at::Tensor random_like(const TensorView& view, std::uint64_t seed) {
  WeightOverlay zero;
  zero.set(view.name, at::zeros(view.shape, at::kFloat));
  return *disturbed(zero, seed).find(view.name);
}

std::vector<float> floats_of(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.contiguous();
  return {flat.const_data_ptr<float>(), flat.const_data_ptr<float>() + flat.numel()};
}

/// One tensor of each part of a model, by its name in the checkpoint; those that it has.
std::vector<std::string> some_tensors(const PretrainedModel& model) {
  const LayerPlace place = model.place(model.config.layers - 1);
  std::vector<std::string> names = {
      place.name(&LayerModules::attention_norm) + ".weight",
      place.up_name(model.config.mlp) + ".weight", place.name(&LayerModules::down) + ".weight",
      place.name(&LayerModules::output) + ".weight", place.name(&LayerModules::query) + ".weight"};
  for (const std::string_view module :
       {model.spec.model.embedding, model.spec.model.final_norm, model.spec.model.decoder_bias}) {
    if (!module.empty()) names.push_back(std::string(module) + ".weight");
  }
  std::erase_if(names, [&](const std::string& name) {
    return model.checkpoint.find(model.stored_name(name)) == nullptr;
  });
  return names;
}

}  // namespace

TEST_CASE("in every family parameters are named and shaped as the checkpoint has them") {
  for (const std::string_view architecture : tiny_families()) {
    CAPTURE(architecture);
    const OverlayScene scene(architecture);
    std::set<std::string> expected;
    for (const ExpectedTensor& tensor : tests::tensors_of(scene.config)) {
      expected.insert(tensor.name);
    }
    std::set<std::string> found;
    for (const ModelParameter& parameter : scene.transformer.parameters()) {
      CAPTURE(parameter.name);
      found.insert(module_of_part(parameter.name));
      const TensorView* view = scene.model->checkpoint.find(parameter.name);
      if (view != nullptr) CHECK(parameter.tensor.sizes().vec() == view->shape);
    }
    CHECK(found == expected);
  }
}

TEST_CASE("a tensor under its name in the checkpoint counts as if the file had it") {
  for (const std::string_view architecture : tiny_families()) {
    const OverlayScene scene(architecture);
    const Windows windows = scene.windows();
    for (const std::string& name : some_tensors(*scene.model)) {
      CAPTURE(architecture, name);
      const at::Tensor tensor = random_like(scene.model->checkpoint.tensor(name), 8);
      WeightOverlay overlay;
      overlay.set(name, tensor);
      TensorValues values = scene.values;
      values.at(name) = floats_of(tensor);
      const auto other = scene.write(scene.scratch.path() / "other", values, DType::kF32);
      const at::Tensor logits = logits_of(scene.with(overlay), windows);
      CHECK(at::equal(logits, logits_of(Transformer(*other, {}), windows)));
      CHECK_FALSE(at::equal(logits, logits_of(scene.transformer, windows)));
    }
  }
}

TEST_CASE("in every family a trained model written out and opened again is the same to the bit") {
  for (const std::string_view architecture : tiny_families()) {
    CAPTURE(architecture);
    const OverlayScene scene(architecture);
    const Windows windows = scene.windows();
    const Transformer trained = scene.with(disturbed(scene.all_trainable(), 9));
    const at::Tensor logits = logits_of(trained, windows);
    const auto written = rewritten(scene, trained.overlay());
    CHECK(at::equal(logits, logits_of(Transformer(*written, {}), windows)));
    CHECK_FALSE(at::equal(logits, logits_of(scene.transformer, windows)));
  }
}

TEST_CASE("an overlay over merged heads keeps them") {
  const OverlayScene scene("LlamaForCausalLM");
  const Windows windows = scene.windows();
  const Grouping grouping = Grouping::uniform(2, Partition::parse("0 1 | 2 3"));
  const Transformer merged =
      scene.with(*merge_plainly(scene.model, grouping, MergeRecipe(find_merge("mean"))));
  const auto is_key_or_value = [](const ModelParameter& parameter) {
    return parameter.own == "key.weight" || parameter.own == "value.weight";
  };
  const WeightOverlay overlay = disturbed(merged.trainable(is_key_or_value, at::kFloat), 10);
  REQUIRE(overlay.tensors().size() == 4);
  const Transformer trained(*scene.model, merged, overlay);
  const auto written = rewritten(scene, trained.overlay());
  CHECK(written->config.kv_heads == 2);
  const at::Tensor logits = logits_of(trained, windows);
  CHECK(at::equal(logits, logits_of(Transformer(*written, {}), windows)));
  CHECK_FALSE(at::equal(logits, logits_of(merged, windows)));
}

TEST_CASE("projections of another number of heads come with their head maps") {
  const OverlayScene scene("Qwen3ForCausalLM");
  const PretrainedModel& model = *scene.model;
  const AttentionWeights source = read_attention(model, 1);
  // One stored head for all: the mean would do as well.
  const std::int64_t d = model.config.head_dim;
  WeightOverlay overlay;
  const HeadMap all({0, 0, 0, 0}, 1);
  overlay.set_heads(1, {{all, all}, {}});
  overlay.set("model.layers.1.self_attn.k_proj.weight", source.key.slice(0, 0, d));
  overlay.set("model.layers.1.self_attn.v_proj.weight", source.value.slice(0, 0, d));
  TensorValues values = scene.values;
  for (const char* name :
       {"model.layers.1.self_attn.k_proj.weight", "model.layers.1.self_attn.v_proj.weight"}) {
    std::vector<float>& tensor = values.at(name);
    for (std::size_t i = tensor.size() / 4; i < tensor.size(); ++i) {
      tensor[i] = tensor[i % (tensor.size() / 4)];
    }
  }
  const auto repeated = scene.write(scene.scratch.path() / "repeated", values, DType::kF32);
  const Windows windows = scene.windows();
  CHECK(at::allclose(logits_of(scene.with(overlay), windows),
                     logits_of(Transformer(*repeated, {}), windows), 1e-5, 1e-5));
  // Without the map they do not fit.
  WeightOverlay narrow;
  narrow.set("model.layers.1.self_attn.k_proj.weight", source.key.slice(0, 0, d));
  CHECK_THAT(error_message<InputError>([&] { scene.with(narrow); }), contains("another shape"));
}

TEST_CASE("what is written is rounded to the checkpoint's element type") {
  const OverlayScene scene("GPT2LMHeadModel", DType::kF32, DType::kBF16);
  const WeightOverlay overlay = disturbed(scene.all_trainable(), 11);
  const auto written = rewritten(scene, overlay);
  const std::string whole = "transformer.h.1.mlp.c_fc.weight";
  const TensorView& view = written->checkpoint.tensor(whole);
  CHECK(view.dtype == DType::kBF16);
  CHECK(at::equal(to_tensor(view), overlay.find(whole)->to(at::kBFloat16)));
  const AttentionWeights weights = read_attention(*written, 1);
  CHECK(at::equal(weights.key,
                  overlay.find("transformer.h.1.attn.c_attn.weight#key")->to(at::kBFloat16)));
}

TEST_CASE("a token table that the checkpoint has twice changes twice") {
  const nlohmann::json config = tiny_config("GPT2LMHeadModel");
  const TensorValues values = random_values(config, 5);
  const TemporaryDirectory scratch;
  write_checkpoint(scratch.path(), config, values);
  const std::string table = "transformer.wte.weight";
  std::vector<PlannedTensor> plan;
  const auto add = [&](const std::string& name, const ExpectedTensor& as) {
    const std::vector<float>& numbers = values.at(as.name);
    plan.push_back({name, DType::kF32, as.shape, [&numbers](std::span<std::byte> out) {
                      from_float(DType::kF32, numbers, out);
                    }});
  };
  for (const ExpectedTensor& tensor : tests::tensors_of(config)) {
    add(tensor.name, tensor);
    if (tensor.name == table) add("lm_head.weight", tensor);
    // As large, but not read and not the same: it stays.
    if (tensor.name == "transformer.h.0.ln_1.weight") add("unread.weight", tensor);
  }
  write_checkpoint_weights(scratch.path(), plan);
  const PretrainedModel model = open_model(scratch.path());
  WeightOverlay overlay;
  overlay.set(table, random_like(model.checkpoint.tensor(table), 12));
  overlay.set("transformer.h.0.ln_1.weight", at::full({16}, 0.5, at::kFloat));
  const TemporaryDirectory target;
  search::SilentProgress silent;
  convert_checkpoint(model, overlay, Layout::kStandard, {}, target.path(), {}, silent);
  const PretrainedModel written = open_model(target.path());
  const auto numbers = [](const PretrainedModel& of, const std::string& name) {
    return to_floats(of.checkpoint.tensor(name));
  };
  CHECK(numbers(written, table) == floats_of(*overlay.find(table)));
  CHECK(numbers(written, "lm_head.weight") == numbers(written, table));
  CHECK(numbers(written, "unread.weight") == values.at("transformer.h.0.ln_1.weight"));
  CHECK(numbers(written, "transformer.h.0.ln_1.weight") == std::vector<float>(16, 0.5F));
}

TEST_CASE("an overlay of another model is refused") {
  const OverlayScene scene("GPT2LMHeadModel");
  const auto refusal = [&](const std::string& name, std::vector<std::int64_t> shape) {
    WeightOverlay overlay;
    overlay.set(name, at::zeros(shape, at::kFloat));
    const std::string computed = error_message<InputError>([&] { scene.with(overlay); });
    CHECK(error_message<InputError>([&] { rewritten(scene, overlay); }) == computed);
    return computed;
  };
  CHECK_THAT(refusal("lm_head.weight", {20, 16}), contains("no tensor of this name"));
  CHECK_THAT(refusal("transformer.h.1.mlp.c_fc.weight", {64, 16}), contains("another shape"));
  CHECK_THAT(refusal("transformer.h.1.attn.c_attn.weight", {48, 16}), contains("another shape"));
  CHECK_THAT(refusal("transformer.wte.weight", {21, 16}), contains("another shape"));
}
