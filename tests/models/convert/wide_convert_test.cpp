#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "models/convert/convert.hpp"
#include "models/files/json_file.hpp"
#include "models/language_model/language_model.hpp"
#include "models/language_model/merger.hpp"
#include "models/layouts/layout.hpp"
#include "models/merge/operators/merge_table.hpp"
#include "models/overlay/rotated_cache.hpp"
#include "models/overlay/weight_overlay.hpp"
#include "models/pretrained/pretrained_model.hpp"
#include "search/base/error.hpp"
#include "tests/fixtures/tiny_llama.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/distance.hpp"
#include "tests/support/error_message.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace regroup;
using namespace regroup::models;
using namespace regroup::tests;
using search::Grouping;
using search::GroupWidths;
using search::LayerGrouping;
using search::Partition;

namespace {

const std::vector<std::int32_t> kIds = {1, 5, 3, 19, 0, 7, 7, 12, 4};

LanguageModel load(const std::filesystem::path& directory) {
  return {std::make_shared<const PretrainedModel>(open_model(directory)), ComputeOptions{}};
}

/// A tiny checkpoint, its calibration, and what is made of it.
struct Scene {
  explicit Scene(const TinyLlama& tiny) : shape(tiny) {
    shape.write(scratch.path() / "source");
    source = std::make_shared<const LanguageModel>(load(scratch.path() / "source"));
    search::RandomStream random{search::RandomKey(8)};
    std::vector<std::int32_t> ids(8 * 17);
    for (std::int32_t& id : ids) id = random.below(20);
    search::SilentProgress silent;
    calibration = std::make_shared<const Calibration>(
        source->calibrate({16, std::move(ids)}, {}, {}, silent));
  }

  LayerGrouping layer(const char* partition, int keys, int values) const {
    const Partition groups = Partition::parse(partition);
    const auto widths = [&](int width) {
      return std::vector<int>(static_cast<std::size_t>(groups.groups()), width);
    };
    return {groups, groups, {}, GroupWidths{shape.head_dim, widths(keys), widths(values)}};
  }

  /// The largest difference of the converted checkpoint's logits to those of the merged source.
  double round_trip(const Grouping& grouping, Layout layout, Refit refit = Refit::kNone) {
    const Merger merger(*source, calibration);
    const auto overlay = merger.merge(grouping, {find_merge("optimal"), false, refit}, {});
    search::SilentProgress silent;
    std::filesystem::create_directories(target());
    convert_checkpoint(source->pretrained(), *overlay, layout, {}, target(), {}, silent);
    return distance(source->with_overlay(*overlay).logits(kIds), load(target()).logits(kIds));
  }
  std::filesystem::path target() const { return scratch.path() / "converted"; }

  TinyLlama shape;
  TemporaryDirectory scratch;
  std::shared_ptr<const LanguageModel> source;
  std::shared_ptr<const Calibration> calibration;
};

}  // namespace

TEST_CASE("wide groups are read back as an ordinary model of wide heads") {
  for (TinyLlama shape : {TinyLlama{}, TinyLlama::mistral()}) {
    INFO(shape.architecture);
    shape.kv_heads = shape.query_heads;
    Scene scene(shape);
    const int d = shape.head_dim;
    for (const Refit refit : {Refit::kNone, Refit::kBoth}) {
      const Grouping grouping{std::vector<LayerGrouping>(static_cast<std::size_t>(shape.layers),
                                                         scene.layer("0 1 2 3", 2 * d, 2 * d))};
      CHECK(scene.round_trip(grouping, Layout::kStandard, refit) < 1e-5);
      const nlohmann::json config = read_json_file(scene.target() / "config.json");
      CHECK(config.at("head_dim") == 2 * d);
      CHECK(config.at("num_key_value_heads") == 1);
      CHECK_FALSE(config.contains("auto_map"));
    }
  }
}

TEST_CASE("narrower keys, values and layers are stored in room for the widest") {
  Scene scene{TinyLlama{}};
  const int d = scene.shape.head_dim;
  const Partition pairs = Partition::parse("0 2 | 1 3");
  const Grouping padded{{scene.layer("0 1 | 2 3", d, 2 * d), {pairs, pairs}}};
  CHECK(padded.kv_ratio() == (2 + 4 + 2 + 2) / 16.0);
  CHECK(scene.round_trip(padded, Layout::kStandard) < 1e-5);
  const Grouping by_layer{
      {scene.layer("0 1 2 3", 2 * d, 2 * d), scene.layer("0 1 | 2 3", 2 * d, d)}};
  CHECK(scene.round_trip(by_layer, Layout::kPerLayer) < 1e-5);
  const Grouping unequal{{scene.layer("0 1 2 | 3", d, d), scene.layer("0 1 2 3", 2 * d, 2 * d)}};
  CHECK(scene.round_trip(unequal, Layout::kPad) < 1e-5);
}

TEST_CASE("groups as wide as their members give the source's logits") {
  Scene scene{TinyLlama{}};
  const int d = scene.shape.head_dim;
  const Grouping whole{
      {scene.layer("0 1 2 3", 4 * d, 4 * d), scene.layer("0 3 | 1 2", 2 * d, 2 * d)}};
  const Merger merger(*scene.source, scene.calibration);
  const auto merged = merger.merged_model(whole, find_merge("optimal"), {});
  CHECK(distance(merged.logits(kIds), scene.source->logits(kIds)) < 1e-5);
}

TEST_CASE("layout free stores every layer's own widths and frequencies, and reads them back") {
  Scene scene{TinyLlama{}};
  const int d = scene.shape.head_dim;
  LayerGrouping odd = scene.layer("0 1 2 3", 2 * d + 2, 3 * d - 2);
  const Grouping grouping{{odd, scene.layer("0 1 | 2 3", d, 2 * d)}};
  for (const Refit refit : {Refit::kNone, Refit::kBoth}) {
    CHECK(scene.round_trip(grouping, Layout::kFree, refit) < 1e-5);
  }
  const auto converted = open_model(scene.target());
  CHECK(converted.config.heads(0) == LayerHeads{4, 1, 2 * d + 2, 3 * d - 2});
  CHECK(converted.config.heads(1) == LayerHeads{4, 2, d, 2 * d});
  CHECK(stored_size(converted.config) == grouping.size());
  CHECK_THROWS_AS(require_equal_layers(converted), InputError);
}

TEST_CASE(
    "turning keys and values before they are cached changes nothing but what a cache rounds") {
  for (const TinyLlama& shape : {TinyLlama{}, TinyLlama::qwen2()}) {
    Scene scene(shape);
    const int d = shape.head_dim;
    const Merger merger(*scene.source, scene.calibration);
    const Grouping wide{std::vector<LayerGrouping>(2, scene.layer("0 1 2 3", 2 * d, 2 * d))};
    const auto overlay = merger.merge(wide, find_merge("optimal"), {});
    const auto turned = rotated_for_cache(scene.source->shared_pretrained(), overlay.get());
    CHECK(distance(scene.source->with_overlay(*turned).logits(kIds),
                   scene.source->with_overlay(*overlay).logits(kIds)) < 1e-5);
    const auto before = overlaid_attention(scene.source->pretrained(), *overlay, 0).weights;
    const auto after = overlaid_attention(scene.source->pretrained(), *turned, 0).weights;
    CHECK((before.value - after.value).abs().max().item<double>() > 1e-2);
    CHECK((before.key - after.key).abs().max().item<double>() > 1e-2);
  }
}

TEST_CASE("layouts that hold no wide heads say which do") {
  Scene scene{TinyLlama{}};
  const int d = scene.shape.head_dim;
  const Grouping wide{std::vector<LayerGrouping>(2, scene.layer("0 1 2 3", 2 * d, 2 * d))};
  CHECK_THAT(error_message<InputError>([&] { scene.round_trip(wide, Layout::kExpand); }),
             contains("standard, per-layer, pad"));
  Grouping free = wide;
  for (LayerGrouping& layer : free.layers) layer.widths->keys = {2 * d - 2};
  CHECK_THAT(error_message<InputError>([&] { scene.round_trip(free, Layout::kStandard); }),
             contains("frequencies"));
}
