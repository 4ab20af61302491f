#include "models/architecture/families/families.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "models/architecture/config_parts.hpp"
#include "models/files/json_fields.hpp"
#include "models/files/json_file.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

constexpr std::int64_t kLargestImage = 16384;
constexpr std::int64_t kLargestRatio = 1024;
/// Images are read in colour.
constexpr std::int64_t kChannels = 3;

int image_field(const nlohmann::json& config, const char* key, const std::string& where,
                std::int64_t max) {
  return static_cast<int>(required_int(config, key, where, 1, max));
}

void read_vit(const nlohmann::json& config, const std::string& where, ModelConfig& out) {
  out.input_bias = required_bool(config, "qkv_bias", where);
  ImageConfig& image = out.image;
  image.size = image_field(config, "image_size", where, kLargestImage);
  image.patch = image_field(config, "patch_size", where, kLargestImage);
  image.channels =
      static_cast<int>(required_int(config, "num_channels", where, kChannels, kChannels));
  out.labels = read_labels(config, where);
  if (image.size % image.patch != 0) {
    throw InputError({.what = "patches do not fill the image",
                      .where = field_of(where, "patch_size"),
                      .expected = fmt::format("a divisor of image_size = {}", image.size),
                      .found = std::to_string(image.patch)});
  }
  const int side = image.size / image.patch;
  out.context = side * side + 1;  // and the class token
  out.head_bias = true;
}

void read_dinov2(const nlohmann::json& config, const std::string& where, ModelConfig& out) {
  read_vit(config, where, out);
  out.mlp.width =
      static_cast<int>(out.width * required_number(config, "mlp_ratio", where, 0, kLargestRatio));
  out.scales_branches = true;
  out.image.reads_patches = true;
}

}  // namespace

ArchitectureSpec vit_architecture() {
  return {
      .architecture = "ViTForImageClassification",
      .model_type = "vit",
      .base_architecture = "ViTModel",
      .config_class = "ViTConfig",
      .kind = ModelKind::kImage,
      .base_prefix = "vit.",
      .fields = {.context = ""},
      .keys = {.read = R"({"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12,
"intermediate_size": 3072, "hidden_act": "gelu", "layer_norm_eps": 1e-12,
"image_size": 224, "patch_size": 16, "num_channels": 3, "qkv_bias": true})",
               .neutral = R"({"quantization_config": null})",
               .ignored = "attention_probs_dropout_prob encoder_stride hidden_dropout_prob "
                          "initializer_range pooler_act pooler_output_size"},
      .model = {.patches = "vit.embeddings.patch_embeddings.projection",
                .class_token = "vit.embeddings.cls_token",
                .image_positions = "vit.embeddings.position_embeddings",
                .final_norm = "vit.layernorm",
                .head_bias = "classifier.bias",
                .head = "classifier"},
      .layer = {.attention_norm = "vit.encoder.layer.{}.layernorm_before",
                .query = "vit.encoder.layer.{}.attention.attention.query",
                .key = "vit.encoder.layer.{}.attention.attention.key",
                .value = "vit.encoder.layer.{}.attention.attention.value",
                .output = "vit.encoder.layer.{}.attention.output.dense",
                .mlp_norm = "vit.encoder.layer.{}.layernorm_after",
                .up = "vit.encoder.layer.{}.intermediate.dense",
                .down = "vit.encoder.layer.{}.output.dense"},
      .activations = {"gelu", "gelu_new", "relu"},
      .read_own = read_vit,
  };
}

ArchitectureSpec dinov2_architecture() {
  return {
      .architecture = "Dinov2ForImageClassification",
      .model_type = "dinov2",
      .base_architecture = "Dinov2Model",
      .config_class = "Dinov2Config",
      .kind = ModelKind::kImage,
      .base_prefix = "dinov2.",
      .fields = {.mlp_width = "", .context = ""},
      .keys =
          {.read =
               R"({"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12, "mlp_ratio":
4, "hidden_act": "gelu", "layer_norm_eps": 1e-06, "image_size": 224, "patch_size":
14, "num_channels": 3, "qkv_bias": true})",
           .neutral = R"({"use_swiglu_ffn": false})",
           .ignored = "_out_features _out_indices apply_layernorm attention_probs_dropout_prob "
                      "drop_path_rate hidden_dropout_prob initializer_range layerscale_value "
                      "out_features out_indices reshape_hidden_states stage_names use_mask_token"},
      .model = {.patches = "dinov2.embeddings.patch_embeddings.projection",
                .class_token = "dinov2.embeddings.cls_token",
                .image_positions = "dinov2.embeddings.position_embeddings",
                .final_norm = "dinov2.layernorm",
                .head_bias = "classifier.bias",
                .head = "classifier"},
      .layer = {.attention_norm = "dinov2.encoder.layer.{}.norm1",
                .query = "dinov2.encoder.layer.{}.attention.attention.query",
                .key = "dinov2.encoder.layer.{}.attention.attention.key",
                .value = "dinov2.encoder.layer.{}.attention.attention.value",
                .output = "dinov2.encoder.layer.{}.attention.output.dense",
                .attention_scale = "dinov2.encoder.layer.{}.layer_scale1.lambda1",
                .mlp_norm = "dinov2.encoder.layer.{}.norm2",
                .mlp_scale = "dinov2.encoder.layer.{}.layer_scale2.lambda1",
                .up = "dinov2.encoder.layer.{}.mlp.fc1",
                .down = "dinov2.encoder.layer.{}.mlp.fc2"},
      .activations = {"gelu", "gelu_new", "relu"},
      .read_own = read_dinov2,
  };
}

}  // namespace regroup::models
