#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <system_error>

#include "models/files/json_fields.hpp"
#include "models/files/json_file.hpp"
#include "models/files/printable.hpp"
#include "models/images/image_processor.hpp"
#include "models/images/processor_defaults.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

using nlohmann::json;

constexpr std::int64_t kLongestSide = 16384;

/// Fields that change no pixel here: images are RGB from the start, and go to no device.
constexpr std::array kWithoutEffect = {
    "image_processor_type", "feature_extractor_type", "processor_class", "do_convert_rgb",
    "data_format",          "input_data_format",      "return_tensors",  "device",
    "disable_grouping",     "_valid_processor_keys"};

/// The file's fields over the defaults of its class.
json honoured_fields(const json& file, const std::string& where) {
  json fields = processor_defaults(file, where);
  for (const auto& [name, value] : file.items()) {
    if (value.is_null()) continue;
    if (fields.contains(name)) {
      fields[name] = value;
    } else if (value != false &&
               std::count(kWithoutEffect.begin(), kWithoutEffect.end(), name) == 0) {
      throw InputError({.what = fmt::format("{} is not supported", printable(name)),
                        .where = field_of(where, printable(name)),
                        .expected = "absent, null or false",
                        .found = describe_json(value)});
    }
  }
  return fields;
}

int side(const json& value, const std::string& where) {
  return static_cast<int>(checked_int(value, where, 1, kLongestSide));
}

[[noreturn]] void refuse_size(const json& size, const std::string& where) {
  throw InputError(
      {.what = "image size is not supported",
       .where = where,
       .expected = R"({"height", "width"}, {"shortest_edge"}, [height, width] or a number)",
       .found = size.is_object() ? printable(size.dump()) : describe_json(size)});
}

/// "size" or "crop_size"; a single number is a square or a shortest edge.
ResizeRule read_size(const json& fields, const std::string& key, bool to_square,
                     const std::string& file) {
  const std::string where = field_of(file, key);
  const json& size = fields.at(key);
  if (size.is_number()) {
    const int length = side(size, where);
    if (to_square) return {.size = {length, length}};
    return {.shortest_edge = length};
  }
  const bool pair = size.is_array() && size.size() == 2;
  if (pair) return {.size = {side(size[0], where), side(size[1], where)}};
  if (size.is_object() && size.size() == 2 && size.contains("height") && size.contains("width")) {
    return {.size = {side(size["height"], where), side(size["width"], where)}};
  }
  if (size.is_object() && size.size() == 1 && size.contains("shortest_edge")) {
    return {.shortest_edge = side(size["shortest_edge"], where)};
  }
  refuse_size(size, where);
}

ResizeRule read_resize(const json& fields, const std::string& where) {
  ResizeRule rule =
      read_size(fields, "size", required_bool(fields, "default_to_square", where), where);
  rule.filter =
      static_cast<Resample>(required_int(fields, "resample", where, 0, kResampleFilters - 1));
  return rule;
}

ImageSize read_crop(const json& fields, const std::string& where) {
  const ResizeRule rule = read_size(fields, "crop_size", true, where);
  if (rule.shortest_edge) refuse_size(fields.at("crop_size"), field_of(where, "crop_size"));
  return rule.size;
}

/// ConvNeXt's way: small images are cut out of larger ones, `crop_pct` of the side; from 384 on
/// they are squeezed into a square.
void apply_crop_share(const json& fields, const std::string& where, ImageProcessor& processor) {
  constexpr int kSmallestSqueezed = 384;
  constexpr double kLeast = 0.01;
  ResizeRule& rule = *processor.resize;
  if (!rule.shortest_edge) refuse_size(fields.at("size"), field_of(where, "size"));
  const int edge = *rule.shortest_edge;
  rule.size = {edge, edge};
  rule.shortest_edge.reset();
  if (edge >= kSmallestSqueezed) return;
  if (processor.crop) {
    throw InputError({.what = "do_center_crop is not supported beside crop_pct",
                      .where = field_of(where, "do_center_crop"),
                      .expected = "false",
                      .found = "true"});
  }
  processor.crop = rule.size;
  rule.shortest_edge =
      static_cast<int>(edge / required_number(fields, "crop_pct", where, kLeast, 1));
}

/// "image_mean" or "image_std": one number or three.
std::array<float, 3> read_channels(const json& fields, const std::string& key, double min,
                                   const std::string& where) {
  constexpr double kLargest = 1e6;
  json channels = fields.at(key);
  if (!channels.is_array()) channels = json::array({channels, channels, channels});
  std::array<float, 3> values{};
  if (channels.size() != values.size()) {
    throw InputError({.what = "field has not one value for each colour",
                      .where = field_of(where, key),
                      .expected = "3 numbers",
                      .found = std::to_string(channels.size())});
  }
  for (std::size_t i = 0; i < values.size(); ++i) {
    const json channel = {{key, channels[i]}};
    values[i] = static_cast<float>(required_number(channel, key, where, min, kLargest));
  }
  return values;
}

Normalization read_normalization(const json& fields, const std::string& where) {
  constexpr double kLargest = 1e6;
  constexpr double kTiny = 1e-6;
  return {read_channels(fields, "image_mean", -kLargest, where),
          read_channels(fields, "image_std", kTiny, where)};
}

/// Where the last size is fixed it must be the model's; else every image is checked.
void require_model_size(const ImageProcessor& processor, const std::string& where) {
  const bool resized = processor.resize && !processor.resize->shortest_edge;
  if (!processor.crop && !resized) return;
  const ImageSize size = processor.crop ? *processor.crop : processor.resize->size;
  if (size == processor.model_size) return;
  throw InputError({.what = "images would not have the size of the model's input",
                    .where = field_of(where, processor.crop ? "crop_size" : "size"),
                    .expected = text_of(processor.model_size),
                    .found = text_of(size)});
}

ImageProcessor read_fields(const json& fields, ImageSize model_size, const std::string& where) {
  ImageProcessor processor{.model_size = model_size};
  if (required_bool(fields, "do_resize", where)) processor.resize = read_resize(fields, where);
  if (required_bool(fields, "do_center_crop", where)) processor.crop = read_crop(fields, where);
  if (processor.resize && fields.contains("crop_pct")) apply_crop_share(fields, where, processor);
  if (required_bool(fields, "do_rescale", where)) {
    processor.rescale_factor = required_number(fields, "rescale_factor", where);
  }
  if (required_bool(fields, "do_normalize", where)) {
    processor.normalization = read_normalization(fields, where);
  }
  require_model_size(processor, where);
  return processor;
}

}  // namespace

ImageProcessor read_image_processor(const std::filesystem::path& model_directory,
                                    ImageSize model_size) {
  const std::filesystem::path file = model_directory / "preprocessor_config.json";
  std::error_code unknown;
  if (std::filesystem::exists(file, unknown)) {
    const json config = read_json_file(file);
    require_object(config, file.string());
    return read_fields(honoured_fields(config, file.string()), model_size, file.string());
  }
  json fields = processor_defaults(json::object(), file.string());
  fields["size"] = {{"height", model_size.height}, {"width", model_size.width}};
  return read_fields(fields, model_size, file.string());
}

}  // namespace regroup::models
