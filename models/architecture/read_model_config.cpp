#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "models/architecture/architecture_spec.hpp"
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

int size_field_or(const json& config, std::string_view key, const std::string& where,
                  int otherwise) {
  return static_cast<int>(optional_int(config, key, where, 1, kLargestSize).value_or(otherwise));
}

bool says_nothing(const json& value) {
  return value.is_null() || value == false || value == 0 || (value.is_object() && value.empty());
}

void refuse_unsupported(const json& config, const ArchitectureSpec& spec,
                        const std::string& where) {
  for (const std::string_view field : spec.refused_fields) {
    const auto found = config.find(field);
    if (found == config.end() || says_nothing(*found)) continue;
    throw InputError({.what = fmt::format("{} is not supported", field),
                      .where = field_of(where, field),
                      .expected = "absent or null",
                      .found = describe_json(*found)});
  }
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

/// Token ids may be one number or a list of which the first counts. An id outside the vocabulary,
/// as in the defaults that some small models' configs repeat, is none.
std::optional<std::int32_t> read_token_id(const json& config, std::string_view key,
                                          const std::string& where, int vocabulary) {
  const auto found = config.find(key);
  if (found == config.end() || found->is_null()) return std::nullopt;
  const json& value = found->is_array() && !found->empty() ? (*found)[0] : *found;
  const auto id = checked_int(value, field_of(where, key), -kLargestVocabulary, kLargestVocabulary);
  if (id < 0 || id >= vocabulary) return std::nullopt;
  return static_cast<std::int32_t>(id);
}

void read_biases(const json& config, const ArchitectureSpec& spec, const std::string& where,
                 ModelConfig& out) {
  const auto by_config = [&](const char* key) {
    return optional_bool(config, key, where).value_or(false);
  };
  const AttentionBias attention = spec.attention_bias;
  const bool all = attention == AttentionBias::kAll ||
                   (attention == AttentionBias::kByConfig && by_config("attention_bias"));
  out.input_bias = all || attention == AttentionBias::kInputs;
  out.output_bias = all;
  out.mlp.has_bias = spec.mlp_bias == MlpBias::kAll ||
                     (spec.mlp_bias == MlpBias::kByConfig && by_config("mlp_bias"));
}

void read_mlp(const json& config, const ArchitectureSpec& spec, const std::string& where,
              ModelConfig& out) {
  constexpr int kUsualRatio = 4;
  const std::string_view width = spec.fields.mlp_width;
  const bool may_be_absent = width == "n_inner";
  out.mlp.width = may_be_absent ? size_field_or(config, width, where, kUsualRatio * out.width)
                                : size_field(config, width, where);
  out.mlp.is_gated = spec.gated_mlp;
  if (!spec.fields.activation.empty()) {
    out.mlp.activation = read_activation(config, spec, where);
  }
}

void read_vocabulary(const json& config, const ArchitectureSpec& spec, const std::string& where,
                     ModelConfig& out) {
  if (spec.kind == ModelKind::kImage) return;
  out.vocabulary = size_field(config, "vocab_size", where, kLargestVocabulary);
  out.tied_embeddings =
      optional_bool(config, "tie_word_embeddings", where).value_or(spec.tied_by_default);
  out.bos = read_token_id(config, "bos_token_id", where, out.vocabulary);
  out.eos = read_token_id(config, "eos_token_id", where, out.vocabulary);
  out.decoder_start = read_token_id(config, "decoder_start_token_id", where, out.vocabulary);
}

}  // namespace

ModelConfig read_model_config(const json& config, const ArchitectureSpec& spec,
                              const std::string& where) {
  constexpr double kUsualEpsilon = 1e-5;
  const ConfigFields& fields = spec.fields;
  refuse_unsupported(config, spec, where);
  ModelConfig out;
  out.architecture = spec.architecture;
  out.kind = spec.kind;
  out.norm = spec.norm;
  out.order = spec.order;
  out.query_key_norm = spec.query_key_norm;
  out.layers = size_field(config, fields.layers, where, kMostLayers);
  out.width = size_field(config, fields.width, where);
  out.embedding_width = out.width;
  read_mlp(config, spec, where, out);
  read_vocabulary(config, spec, where, out);
  if (!fields.context.empty()) out.context = size_field(config, fields.context, where);
  if (!spec.model.positions.empty()) out.learned_positions = out.context;
  out.norm_epsilon = fields.norm_epsilon.empty()
                         ? kUsualEpsilon
                         : required_number(config, fields.norm_epsilon, where, 0, 1);
  read_heads(config, spec, where, out);
  out.rotary = read_rotary(config, spec, out.head_dim, where);
  read_biases(config, spec, where, out);
  out.sliding_windows = read_sliding_windows(config, spec, out.layers, where);
  if (spec.read_own != nullptr) spec.read_own(config, where, out);
  return out;
}

}  // namespace regroup::models
