#include "models/architecture/expected_tensors.hpp"

#include <utility>

#include "models/architecture/layer_place.hpp"
#include "models/architecture/mixture_tensors.hpp"
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

  /// Nothing where there is no such norm, or it has no weights.
  void add_norm(std::string_view module) {
    if (module.empty()) return;
    const std::string name(module);
    if (has_weight(config_.norm)) add(name + ".weight", {config_.width});
    if (models::has_bias(config_.norm)) add(name + ".bias", {config_.width});
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
    if (config_.kind == ModelKind::kSpeech) add_sound();
    add_table(names.embedding, config_.vocabulary, config_.embedding_width);
    if (config_.positions == PositionKind::kLearned) add_positions();
    if (config_.token_types > 0) add_table(names.token_types, config_.token_types, width);
    add_norm(names.embedding_norm);
    add_norm(names.decoder_embedding_norm);
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

  void add_positions() {
    const ModelModules& names = spec_.model;
    const bool is_speech = config_.kind == ModelKind::kSpeech;
    const int rows = is_speech ? config_.speech.positions() : config_.learned_positions;
    add_table(names.positions, rows, config_.width);
    add_table(names.decoder_positions, config_.learned_positions, config_.width);
  }

  void add_sound() {
    constexpr std::int64_t kTaps = 3;
    const ModelModules& names = spec_.model;
    const std::int64_t width = config_.width;
    for (const auto& [name, in] :
         {std::pair(names.sound_convolution, std::int64_t{config_.speech.bands}),
          std::pair(names.sound_reduction, width)}) {
      add(std::string(name) + ".weight", {width, in, kTaps});
      add(std::string(name) + ".bias", {width});
    }
  }

  void add_layer(const LayerPlace& place) {
    const std::int64_t width = config_.width;
    const std::int64_t queries = std::int64_t{place.heads.query} * place.heads.key_width;
    const std::int64_t keys = std::int64_t{place.heads.kv} * place.heads.key_width;
    const std::int64_t values = std::int64_t{place.heads.kv} * place.heads.value_width;
    const std::int64_t mixed = std::int64_t{place.heads.query} * place.heads.value_width;
    const auto name = [&](std::string_view LayerModules::*module) { return place.name(module); };
    add_norm(name(&LayerModules::attention_norm));
    if (config_.storage == ProjectionStorage::kSeparate) {
      add_linear(name(&LayerModules::query), queries, width,
                 has_bias(config_, AttentionRole::kQuery));
      add_linear(name(&LayerModules::key), keys, width, has_bias(config_, AttentionRole::kKey));
      add_linear(name(&LayerModules::value), values, width,
                 has_bias(config_, AttentionRole::kValue));
    } else {
      add_linear(name(&LayerModules::query), queries + keys + values, width, config_.input_bias);
    }
    add_linear(name(&LayerModules::output), width, mixed, config_.output_bias);
    if (config_.mixture) {
      const std::string output = name(&LayerModules::output);
      const std::string module = output.substr(0, output.rfind('.') + 1);
      for (MixtureTensorShape& own : mixture_tensors(config_)) {
        add(module + own.name, std::move(own.shape));
      }
    }
    if (config_.query_key_norm != QueryKeyNorm::kNone) {
      const bool is_whole = config_.query_key_norm == QueryKeyNorm::kWhole;
      add(name(&LayerModules::query_norm) + ".weight", {is_whole ? queries : config_.head_dim});
      add(name(&LayerModules::key_norm) + ".weight", {is_whole ? keys : config_.head_dim});
    }
    add_branch(name(&LayerModules::attention_branch_norm), name(&LayerModules::attention_scale));
    if (place.modules.up.empty()) return;
    if (!config_.shares_norm) add_norm(name(&LayerModules::mlp_norm));
    add_branch(name(&LayerModules::mlp_branch_norm), name(&LayerModules::mlp_scale));
    if (config_.has_experts(place.layer)) {
      add_experts(place);
    } else {
      add_mlp(place);
    }
  }

  void add_branch(const std::string& norm, const std::string& scale) {
    add_norm(norm);
    if (config_.scales_branches) add(scale, {config_.width});
  }

  void add_mlp(const LayerPlace& place) {
    const std::int64_t width = config_.width;
    const MlpConfig& mlp = config_.mlp;
    const std::int64_t up = mlp.is_fused ? 2 * std::int64_t{mlp.width} : mlp.width;
    if (place.has_gate(mlp)) {
      add_linear(place.name(&LayerModules::gate), mlp.width, width, mlp.has_bias);
    }
    add_linear(place.up_name(mlp), up, width, mlp.has_bias);
    add_linear(place.name(&LayerModules::down), width, mlp.width, mlp.has_bias);
  }

  void add_experts(const LayerPlace& place) {
    const ExpertsConfig& experts = config_.experts;
    add_linear(place.name(&LayerModules::router), experts.count, config_.width, false);
    for (int expert = 0; expert < experts.count; ++expert) {
      add_linear(place.expert(&LayerModules::expert_gate, expert), experts.width, config_.width,
                 false);
      add_linear(place.expert(&LayerModules::expert_up, expert), experts.width, config_.width,
                 false);
      add_linear(place.expert(&LayerModules::expert_down, expert), config_.width, experts.width,
                 false);
    }
  }

  void add_head() {
    const ModelModules& names = spec_.model;
    const std::int64_t width = config_.width;
    add_norm(names.encoder_norm);
    if (config_.final_norm) add_norm(names.final_norm);
    if (!config_.has_head) return;
    if (!names.head_dense.empty()) {
      add_linear(std::string(names.head_dense), width, width, true);
      add_norm(names.head_norm);
    }
    add_head_bias();
    if (config_.tied_embeddings) return;
    const std::string head(names.head);
    if (has_classes(config_.kind)) {
      add(head + ".weight", {classes(), config_.image.reads_patches ? 2 * width : width});
    } else {
      add(head + ".weight", {config_.vocabulary, config_.embedding_width});
    }
  }

  void add_head_bias() {
    if (!config_.head_bias) return;
    const std::int64_t outputs =
        has_classes(config_.kind) ? classes() : std::int64_t{config_.vocabulary};
    // Encoder-decoders keep theirs as a row.
    const bool is_row = config_.kind == ModelKind::kSequence;
    add(std::string(spec_.model.head_bias),
        is_row ? std::vector{std::int64_t{1}, outputs} : std::vector{outputs});
  }

  std::int64_t classes() const { return std::ssize(config_.labels); }

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
