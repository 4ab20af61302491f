#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "models/architecture/architecture_spec.hpp"
#include "models/architecture/config_keys.hpp"
#include "models/architecture/config_parts.hpp"
#include "models/files/json_fields.hpp"
#include "models/files/json_file.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

using nlohmann::json;

// Far above any model, and small enough that products of a few of them fit 64 bits.
constexpr std::int64_t kMostLayers = 4096;
constexpr std::int64_t kLargestSize = std::int64_t{1} << 24;
constexpr std::int64_t kLargestVocabulary = std::int64_t{1} << 28;

int size_field(const json& config, std::string_view key, const std::string& where,
               std::int64_t max = kLargestSize) {
  return static_cast<int>(required_int(config, key, where, 1, max));
}

Activation read_activation(const json& config, const ArchitectureSpec& spec,
                           const std::string& where) {
  const std::string name = required_string(config, spec.fields.activation, where);
  const auto& known = spec.activations;
  if (std::find(known.begin(), known.end(), name) != known.end()) return *activation_of(name);
  throw InputError({.what = "activation is not supported",
                    .where = field_of(where, spec.fields.activation),
                    .expected = fmt::format("{}", fmt::join(known, ", ")),
                    .found = name});
}

void read_biases(const json& config, const ArchitectureSpec& spec, const std::string& where,
                 ModelConfig& out) {
  const AttentionBias attention = spec.attention_bias;
  const bool by_field =
      attention == AttentionBias::kByField || attention == AttentionBias::kInputsByField;
  const bool has_any = attention != AttentionBias::kNone &&
                       (!by_field || required_bool(config, spec.fields.attention_bias, where));
  out.input_bias = has_any && attention != AttentionBias::kOutput;
  out.key_bias = attention != AttentionBias::kAllButKeys;
  out.output_bias =
      has_any && attention != AttentionBias::kInputs && attention != AttentionBias::kInputsByField;
  out.mlp.has_bias =
      spec.mlp_bias == MlpBias::kAll ||
      (spec.mlp_bias == MlpBias::kByField && required_bool(config, spec.fields.mlp_bias, where));
}

/// A width that the config leaves out is four times the model's, an activation that it never says
/// the family's only one.
void read_mlp(const json& config, const ArchitectureSpec& spec, const std::string& where,
              ModelConfig& out) {
  constexpr int kUsualRatio = 4;
  const ConfigFields& fields = spec.fields;
  out.mlp.width = kUsualRatio * out.width;
  if (!fields.mlp_width.empty()) {
    const auto width = optional_int(config, fields.mlp_width, where, 1, kLargestSize);
    if (width) out.mlp.width = static_cast<int>(*width);
  }
  out.mlp.is_gated = spec.gated_mlp;
  out.mlp.is_fused = spec.fused_mlp;
  if (!fields.activation.empty()) {
    out.mlp.activation = read_activation(config, spec, where);
  } else if (!spec.activations.empty()) {
    out.mlp.activation = *activation_of(spec.activations.front());
  }
  out.head_activation = out.mlp.activation;
}

void read_vocabulary(const json& config, const ArchitectureSpec& spec, const std::string& where,
                     ModelConfig& out) {
  out.has_head = !names_base_model(config, spec);
  out.head_bias = out.has_head && !spec.model.head_bias.empty();
  if (spec.kind == ModelKind::kImage) return;
  out.vocabulary = size_field(config, "vocab_size", where, kLargestVocabulary);
  out.tied_embeddings = required_bool(config, "tie_word_embeddings", where);
  out.bos = read_token_id(config, "bos_token_id", where, out.vocabulary);
  out.eos = read_token_id(config, "eos_token_id", where, out.vocabulary);
  out.decoder_start = read_token_id(config, "decoder_start_token_id", where, out.vocabulary);
}

}  // namespace

std::optional<std::int32_t> read_token_id(const json& config, std::string_view key,
                                          const std::string& where, int vocabulary) {
  const auto found = config.find(key);
  if (found == config.end() || found->is_null()) return std::nullopt;
  const json& value = found->is_array() && !found->empty() ? (*found)[0] : *found;
  const auto id = checked_int(value, field_of(where, key), -kLargestVocabulary, kLargestVocabulary);
  if (id < 0 || id >= vocabulary) return std::nullopt;
  return static_cast<std::int32_t>(id);
}

ModelConfig read_model_config(const json& given, const ArchitectureSpec& spec,
                              const std::string& where) {
  const json config = resolved_config(given, spec, where);
  const ConfigFields& fields = spec.fields;
  ModelConfig out;
  out.architecture = spec.architecture;
  out.kind = spec.kind;
  out.norm = spec.norm;
  out.order = spec.order;
  out.storage = spec.storage;
  out.query_key_norm = spec.query_key_norm;
  out.layers = size_field(config, fields.layers, where, kMostLayers);
  out.width = size_field(config, fields.width, where);
  out.embedding_width = out.width;
  out.shares_norm = spec.order == ResidualOrder::kParallel && spec.layer.mlp_norm.empty();
  read_mlp(config, spec, where, out);
  read_vocabulary(config, spec, where, out);
  if (!fields.context.empty()) out.context = size_field(config, fields.context, where);
  out.positions = spec.positions;
  if (spec.positions == PositionKind::kLearned) out.learned_positions = out.context;
  out.norm_epsilon = fields.norm_epsilon.empty()
                         ? spec.usual_epsilon
                         : required_number(config, fields.norm_epsilon, where, 0, 1);
  read_heads(config, spec, where, out);
  out.sliding_windows = read_sliding_windows(config, spec, out.layers, where);
  read_rotary(config, spec, where, out);
  read_biases(config, spec, where, out);
  if (spec.read_own != nullptr) spec.read_own(config, where, out);
  out.mixture = read_mixture(config, where, out);
  return out;
}

}  // namespace regroup::models
