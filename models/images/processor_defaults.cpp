#include "models/images/processor_defaults.hpp"

#include <array>
#include <string_view>

#include "models/files/json_fields.hpp"
#include "models/files/printable.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

using nlohmann::json;

/// One class of processors; `own` is what it does not share with the others.
struct ProcessorClass {
  std::string_view name;  ///< less "ImageProcessor" and what follows
  json own;
};

json square(int length) {
  return {{"height", length}, {"width", length}};
}

json shared_defaults() {
  return {{"do_resize", true},         {"size", nullptr},
          {"default_to_square", true}, {"resample", 3},
          {"do_center_crop", false},   {"crop_size", nullptr},
          {"do_rescale", true},        {"rescale_factor", 1.0 / 255.0},
          {"do_normalize", true},      {"image_mean", 0.5},
          {"image_std", 0.5}};
}

json clip_defaults() {
  return {{"size", {{"shortest_edge", 224}}},
          {"default_to_square", false},
          {"do_center_crop", true},
          {"crop_size", square(224)},
          {"image_mean", {0.48145466, 0.4578275, 0.40821073}},
          {"image_std", {0.26862954, 0.26130258, 0.27577711}}};
}

const std::array<ProcessorClass, 6>& processor_classes() {
  static const std::array<ProcessorClass, 6> kClasses = {
      {{"ViT", {{"size", square(224)}, {"resample", 2}}},
       {"DeiT", {{"size", square(256)}, {"do_center_crop", true}, {"crop_size", square(224)}}},
       {"Beit", {{"size", square(224)}, {"crop_size", square(224)}}},
       {"CLIP", clip_defaults()},
       {"Bit", clip_defaults()},
       {"ConvNext",
        {{"size", {{"shortest_edge", 384}}}, {"default_to_square", false}, {"crop_pct", 0.875}}}}};
  return kClasses;
}

/// "ViT" of "ViTImageProcessor", "ViTImageProcessorFast" and, in older files,
/// "ViTFeatureExtractor".
std::string class_name(const json& config, const std::string& where) {
  for (const auto& [field, suffix] : {std::pair("image_processor_type", "ImageProcessor"),
                                      std::pair("feature_extractor_type", "FeatureExtractor")}) {
    const auto type = optional_string(config, field, where);
    if (type) return type->substr(0, type->rfind(suffix));
  }
  return "ViT";
}

}  // namespace

json processor_defaults(const json& config, const std::string& where) {
  const std::string name = class_name(config, where);
  std::string known;
  for (const ProcessorClass& candidate : processor_classes()) {
    if (candidate.name == name) {
      json defaults = shared_defaults();
      defaults.update(candidate.own);
      return defaults;
    }
    known.append(known.empty() ? "" : ", ").append(candidate.name);
  }
  throw InputError({.what = "image processor is not supported",
                    .where = where,
                    .expected = "an ImageProcessor of " + known,
                    .found = printable(name)});
}

}  // namespace regroup::models
