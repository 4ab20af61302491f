#include "models/architecture/families/families.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "models/files/json_fields.hpp"
#include "models/files/json_file.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

constexpr std::int64_t kLargestImage = 16384;
/// Images are read in colour.
constexpr std::int64_t kChannels = 3;
constexpr int kUsualClasses = 2;

int image_field(const nlohmann::json& config, const char* key, const std::string& where,
                std::int64_t max) {
  return static_cast<int>(required_int(config, key, where, 1, max));
}

/// "id2label": a name for each of the classes 0, 1, …
std::vector<std::string> read_labels(const nlohmann::json& config, const std::string& where) {
  std::vector<std::string> labels;
  const nlohmann::json* names = optional_object(config, "id2label", where);
  const std::size_t classes = names != nullptr && !names->empty() ? names->size() : kUsualClasses;
  for (std::size_t i = 0; i < classes; ++i) {
    const std::string id = std::to_string(i);
    labels.push_back(names != nullptr && !names->empty()
                         ? required_string(*names, id, field_of(where, "id2label"))
                         : "LABEL_" + id);
  }
  return labels;
}

void read_vit(const nlohmann::json& config, const std::string& where, ModelConfig& out) {
  out.input_bias = optional_bool(config, "qkv_bias", where).value_or(true);
  ImageConfig& image = out.image;
  image.size = image_field(config, "image_size", where, kLargestImage);
  image.patch = image_field(config, "patch_size", where, kLargestImage);
  image.channels =
      static_cast<int>(required_int(config, "num_channels", where, kChannels, kChannels));
  image.labels = read_labels(config, where);
  if (image.size % image.patch != 0) {
    throw InputError({.what = "patches do not fill the image",
                      .where = field_of(where, "patch_size"),
                      .expected = fmt::format("a divisor of image_size = {}", image.size),
                      .found = std::to_string(image.patch)});
  }
  const int side = image.size / image.patch;
  out.context = side * side + 1;  // and the class token
}

}  // namespace

ArchitectureSpec vit_architecture() {
  return {
      .architecture = "ViTForImageClassification",
      .kind = ModelKind::kImage,
      .fields = {.context = ""},
      .model = {.patches = "vit.embeddings.patch_embeddings.projection",
                .class_token = "vit.embeddings.cls_token",
                .image_positions = "vit.embeddings.position_embeddings",
                .final_norm = "vit.layernorm",
                .head = "classifier"},
      .layer = {.attention_norm = "vit.encoder.layer.{}.layernorm_before",
                .query = "vit.encoder.layer.{}.attention.attention.query",
                .key = "vit.encoder.layer.{}.attention.attention.key",
                .value = "vit.encoder.layer.{}.attention.attention.value",
                .output = "vit.encoder.layer.{}.attention.output.dense",
                .mlp_norm = "vit.encoder.layer.{}.layernorm_after",
                .up = "vit.encoder.layer.{}.intermediate.dense",
                .down = "vit.encoder.layer.{}.output.dense"},
      .tied_by_default = false,
      .activations = {"gelu", "gelu_new", "relu"},
      .refused_fields = {"quantization_config"},
      .read_own = read_vit,
  };
}

}  // namespace regroup::models
