#include "models/architecture/expected_tensors.hpp"

#include <utility>

#include "models/architecture/layer_place.hpp"
#include "models/architecture/stored_projection.hpp"

namespace regroup::models {
namespace {

/// Collects the tensors of one model.
class TensorList {
 public:
  TensorList(const ArchitectureSpec& spec, const ModelConfig& config)
      : spec_(spec), config_(config) {}

  std::vector<ExpectedTensor> all() {
    add_embedding();
    for (int layer = 0; layer < config_.layers; ++layer) {
      add_layer(place_of(spec_, config_, layer));
    }
    add_head();
    return std::move(tensors_);
  }

 private:
  void add(std::string name, std::vector<std::int64_t> shape) {
    tensors_.push_back({std::move(name), std::move(shape)});
  }

  void add_norm(const std::string& module) {
    add(module + ".weight", {config_.width});
    if (config_.norm == NormKind::kLayerNorm) add(module + ".bias", {config_.width});
  }

  void add_linear(const std::string& module, std::int64_t out, std::int64_t in, bool has_bias) {
    add(module + ".weight", spec_.transposed ? std::vector{in, out} : std::vector{out, in});
    if (has_bias) add(module + ".bias", {out});
  }

  void add_table(std::string_view module, std::int64_t rows, std::int64_t columns) {
    if (!module.empty()) add(std::string(module) + ".weight", {rows, columns});
  }

  void add_embedding() {
    const ModelModules& names = spec_.model;
    const std::int64_t width = config_.width;
    add_table(names.embedding, config_.vocabulary, config_.embedding_width);
    if (config_.learned_positions > 0) {
      add_table(names.positions, config_.learned_positions, width);
    }
    if (config_.token_types > 0) add_table(names.token_types, config_.token_types, width);
    if (!names.embedding_norm.empty()) add_norm(std::string(names.embedding_norm));
    if (config_.embedding_width != width && config_.kind != ModelKind::kImage) {
      add_linear(std::string(names.project_in), width, config_.embedding_width, false);
      add_linear(std::string(names.project_out), config_.embedding_width, width, false);
    }
    if (config_.kind == ModelKind::kImage) {
      const ImageConfig& image = config_.image;
      const std::string patches(names.patches);
      add(patches + ".weight", {width, image.channels, image.patch, image.patch});
      add(patches + ".bias", {width});
      add(std::string(names.class_token), {1, 1, width});
      add(std::string(names.image_positions), {1, config_.context, width});
    }
    add_table(names.encoder_bias, config_.relative_bias.buckets, config_.query_heads);
    add_table(names.decoder_bias, config_.relative_bias.buckets, config_.query_heads);
  }

  void add_layer(const LayerPlace& place) {
    const std::int64_t width = config_.width;
    const std::int64_t queries = std::int64_t{place.heads.query} * config_.head_dim;
    const std::int64_t keys = std::int64_t{place.heads.kv} * config_.head_dim;
    const auto name = [&](std::string_view LayerModules::*module) { return place.name(module); };
    add_norm(name(&LayerModules::attention_norm));
    if (spec_.storage == ProjectionStorage::kSeparate) {
      add_linear(name(&LayerModules::query), queries, width, config_.input_bias);
      add_linear(name(&LayerModules::key), keys, width, config_.input_bias);
      add_linear(name(&LayerModules::value), keys, width, config_.input_bias);
    } else {
      add_linear(name(&LayerModules::query), queries + 2 * keys, width, config_.input_bias);
    }
    add_linear(name(&LayerModules::output), width, queries, config_.output_bias);
    if (config_.query_key_norm) {
      add(name(&LayerModules::query_norm) + ".weight", {config_.head_dim});
      add(name(&LayerModules::key_norm) + ".weight", {config_.head_dim});
    }
    if (place.modules.up.empty()) return;
    const MlpConfig& mlp = config_.mlp;
    add_norm(name(&LayerModules::mlp_norm));
    if (mlp.is_gated) add_linear(name(&LayerModules::gate), mlp.width, width, mlp.has_bias);
    add_linear(place.up_name(mlp), mlp.width, width, mlp.has_bias);
    add_linear(name(&LayerModules::down), width, mlp.width, mlp.has_bias);
  }

  void add_head() {
    const ModelModules& names = spec_.model;
    const std::int64_t width = config_.width;
    if (!names.encoder_norm.empty()) add_norm(std::string(names.encoder_norm));
    if (config_.final_norm) add_norm(std::string(names.final_norm));
    if (!names.head_dense.empty()) {
      add_linear(std::string(names.head_dense), width, width, true);
      add_norm(std::string(names.head_norm));
    }
    if (!names.head_bias.empty()) add(std::string(names.head_bias), {config_.vocabulary});
    if (config_.tied_embeddings) return;
    const std::string head(names.head);
    if (config_.kind == ModelKind::kImage) {
      const auto classes = static_cast<std::int64_t>(config_.image.labels.size());
      add(head + ".weight", {classes, width});
      add(head + ".bias", {classes});
    } else {
      add(head + ".weight", {config_.vocabulary, config_.embedding_width});
    }
  }

  const ArchitectureSpec& spec_;
  const ModelConfig& config_;
  std::vector<ExpectedTensor> tensors_;
};

}  // namespace

std::vector<ExpectedTensor> expected_tensors(const ArchitectureSpec& spec,
                                             const ModelConfig& config) {
  return TensorList(spec, config).all();
}

}  // namespace regroup::models
