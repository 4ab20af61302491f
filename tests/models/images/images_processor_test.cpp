#include "models/images/decode_image.hpp"
#include "models/images/image_processor.hpp"
#include "search/base/error.hpp"
#include "tests/models/images/image_goldens.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/error_message.hpp"
#include "tests/support/temporary_directory.hpp"

namespace regroup::models {
namespace {

using nlohmann::json;
using tests::contains;
using tests::error_message;
using tests::TemporaryDirectory;

ImageProcessor read(const json& config, ImageSize model_size) {
  const TemporaryDirectory model;
  model.write("preprocessor_config.json", config.dump());
  return read_image_processor(model.path(), model_size);
}

/// The refusal of a config for a model of 224 × 224.
std::string refusal(const json& config) {
  return error_message<InputError>([&] { read(config, {224, 224}); });
}

RgbImage waves() {
  return read_image(tests::image_golden("waves.png"));
}

}  // namespace

TEST_CASE("images become what the image processors of transformers make of them") {
  const auto cases = tests::image_goldens("processed");
  REQUIRE(cases.size() == 40);
  for (const json& golden : cases) {
    const auto name = golden.at("file").get<std::string>();
    CAPTURE(name, golden.at("config").dump());
    const ImageSize size{golden.at("height"), golden.at("width")};
    const ImageProcessor processor = read(golden.at("config"), size);
    const auto values = process_image(processor, read_image(tests::image_golden(name)), name);
    CHECK(values.size() == 3 * size.pixels());
    CHECK(tests::digest(values) == golden.at("sha256"));
  }
}

TEST_CASE("older and newer names of a processor mean the same") {
  const json fields = {{"size", 20}, {"crop_size", 16}, {"do_center_crop", true}};
  const auto values = [&](const char* field, const char* type) {
    json config = fields;
    config[field] = type;
    return process_image(read(config, {16, 16}), waves(), "waves");
  };
  const auto clip = values("image_processor_type", "CLIPImageProcessor");
  CHECK(values("image_processor_type", "CLIPImageProcessorFast") == clip);
  CHECK(values("feature_extractor_type", "CLIPFeatureExtractor") == clip);
  CHECK(values("feature_extractor_type", "ViTFeatureExtractor") != clip);
  CHECK(values("image_processor_type", "ViTImageProcessor") ==
        process_image(read(fields, {16, 16}), waves(), "waves"));
}

TEST_CASE("a model without preprocessor_config.json gets the defaults of ViT in its own size") {
  const TemporaryDirectory model;
  const ImageProcessor absent = read_image_processor(model.path(), {32, 48});
  const json same = {{"size", {{"height", 32}, {"width", 48}}},
                     {"resample", 2},
                     {"image_mean", 0.5},
                     {"image_std", 0.5}};
  CHECK(process_image(absent, waves(), "waves") ==
        process_image(read(same, {32, 48}), waves(), "waves"));
}

TEST_CASE("fields that are null or change no pixel are passed over") {
  const json plain = {{"size", 16}};
  json config = plain;
  config.update({{"do_center_crop", nullptr},
                 {"do_pad", false},
                 {"pad_size", nullptr},
                 {"do_convert_rgb", true},
                 {"processor_class", "X"},
                 {"crop_size", 12},
                 {"_valid_processor_keys", {"images", "do_resize"}}});
  CHECK(process_image(read(config, {16, 16}), waves(), "waves") ==
        process_image(read(plain, {16, 16}), waves(), "waves"));
}

TEST_CASE("what an image processor does beyond what is supported is refused by name") {
  CHECK_THAT(refusal({{"do_pad", true}}), contains("do_pad is not supported"));
  CHECK_THAT(refusal({{"crop_pct", 0.9}}), contains("crop_pct is not supported"));
  CHECK_THAT(refusal({{"do_thumbnail", true}}), contains("do_thumbnail is not supported"));
  CHECK_THAT(refusal({{"image_processor_type", "LevitImageProcessor"}}), contains("Levit"));
  CHECK_THAT(refusal({{"image_processor_type", 3}}), contains("image_processor_type"));
  CHECK_THAT(refusal({{"resample", 6}}), contains("\"resample\""));
  CHECK_THAT(refusal({{"resample", "bilinear"}}), contains("\"resample\""));
  for (const json& size :
       {json{{"shortest_edge", 9}, {"longest_edge", 9}}, json{{"longest_edge", 9}},
        json{{"height", 9}}, json("9"), json::array({1, 2, 3}), json::object()}) {
    CAPTURE(size.dump());
    CHECK_THAT(refusal({{"size", size}}), contains("\"size\""));
  }
  CHECK_THAT(refusal({{"image_processor_type", "ConvNextImageProcessor"},
                      {"size", 224},
                      {"crop_size", 224},
                      {"do_center_crop", true}}),
             contains("do_center_crop"));
}

TEST_CASE("broken fields of an image processor are refused by name") {
  CHECK_THAT(refusal({{"size", 0}}), contains("from 1 to 16384"));
  CHECK_THAT(refusal({{"size", 22.5}}), contains("\"size\""));
  CHECK_THAT(refusal({{"size", {{"height", -1}, {"width", 3}}}}), contains("\"size\""));
  CHECK_THAT(refusal({{"do_resize", "yes"}}), contains("\"do_resize\""));
  CHECK_THAT(refusal({{"do_center_crop", true}}), contains("\"crop_size\""));
  CHECK_THAT(refusal({{"do_center_crop", true}, {"crop_size", {{"shortest_edge", 224}}}}),
             contains("\"crop_size\""));
  CHECK_THAT(refusal({{"image_mean", {0.5, 0.5}}}), contains("3 numbers"));
  CHECK_THAT(refusal({{"image_mean", {0.5, "x", 0.5}}}), contains("\"image_mean\""));
  CHECK_THAT(refusal({{"image_std", 0}}), contains("\"image_std\""));
  CHECK_THAT(refusal({{"rescale_factor", "1/255"}}), contains("\"rescale_factor\""));
  CHECK_THAT(refusal(json::array()), contains("preprocessor_config.json"));
}

TEST_CASE("images that would not have the model's size are refused") {
  CHECK_THAT(refusal({{"size", 256}}), contains("expected: 224 x 224"));
  CHECK_THAT(refusal({{"size", 256}}), contains("found: 256 x 256"));
  CHECK_THAT(refusal({{"do_center_crop", true}, {"crop_size", 192}}), contains("\"crop_size\""));
  // Only the image shows.
  const ImageProcessor processor = read({{"size", {{"shortest_edge", 58}}}}, {58, 58});
  CHECK_THAT(error_message<InputError>([&] { process_image(processor, waves(), "waves.png"); }),
             contains("found: 58 x 82"));
  CHECK(process_image(processor, {{1, 1}, {1, 2, 3}}, "dot").size() == 3 * 58 * 58);
}

TEST_CASE("an image as thin as a thread is not blown up beyond all bounds") {
  const ImageProcessor processor =
      read({{"size", {{"shortest_edge", 224}}}, {"crop_size", 224}, {"do_center_crop", true}},
           {224, 224});
  const RgbImage thread{{1, 100'000}, std::vector<std::uint8_t>(300'000)};
  const std::string message =
      error_message<InputError>([&] { process_image(processor, thread, "thread.png"); });
  CHECK_THAT(message, contains("thread.png"));
  CHECK_THAT(message, contains("224 x 22400000"));
}

}  // namespace regroup::models
