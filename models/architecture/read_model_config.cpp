#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "models/architecture/architecture_spec.hpp"
#include "models/files/json_fields.hpp"
#include "models/files/json_file.hpp"
#include "search/error.hpp"
#include "search/partition.hpp"

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

void require_activation(const json& config, const ArchitectureSpec& spec,
                        const std::string& where) {
  const std::string activation = required_string(config, "hidden_act", where);
  const auto& known = spec.activations;
  if (std::find(known.begin(), known.end(), activation) != known.end()) return;
  throw InputError({.what = "activation is not supported",
                    .where = field_of(where, "hidden_act"),
                    .expected = fmt::format("{}", fmt::join(known, ", ")),
                    .found = activation});
}

void require_division(int whole, std::string_view whole_name, int part, std::string_view part_name,
                      const std::string& where) {
  if (whole % part == 0) return;
  throw InputError({.what = fmt::format("{} does not divide {}", part_name, whole_name),
                    .where = where,
                    .expected = fmt::format("a divisor of {} = {}", whole_name, whole),
                    .found = fmt::format("{} = {}", part_name, part)});
}

Llama3RotaryScaling read_llama3_scaling(const json& rope, const std::string& where) {
  constexpr double kTiny = 1e-6;
  constexpr double kHuge = 1e12;
  Llama3RotaryScaling scaling;
  scaling.factor = required_number(rope, "factor", where, kTiny, kHuge);
  scaling.low_frequency_factor = required_number(rope, "low_freq_factor", where, kTiny, kHuge);
  scaling.high_frequency_factor = required_number(rope, "high_freq_factor", where, kTiny, kHuge);
  scaling.original_context =
      required_number(rope, "original_max_position_embeddings", where, 1, kHuge);
  if (scaling.high_frequency_factor <= scaling.low_frequency_factor) {
    throw InputError({.what = "rope scaling has no band between its frequencies",
                      .where = where,
                      .expected = "high_freq_factor above low_freq_factor",
                      .found = fmt::format("{} and {}", scaling.high_frequency_factor,
                                           scaling.low_frequency_factor)});
  }
  return scaling;
}

/// `rope` holds the type and its numbers: "rope_parameters", or "rope_scaling" of older files.
void read_rope_type(const json& rope, const std::string& where, RotaryConfig& rotary) {
  const auto type = optional_string(rope, "rope_type", where);
  const std::string name = type ? *type : optional_string(rope, "type", where).value_or("default");
  if (name == "llama3") {
    rotary.scaling = read_llama3_scaling(rope, where);
  } else if (name != "default") {
    throw InputError({.what = "rope type is not supported",
                      .where = field_of(where, "rope_type"),
                      .expected = "default or llama3",
                      .found = name});
  }
}

void require_whole_rotation(const json& holder, const std::string& where) {
  const double part = optional_number(holder, "partial_rotary_factor", where).value_or(1.0);
  if (part == 1.0) return;
  throw InputError({.what = "partial rotary embedding is not supported",
                    .where = field_of(where, "partial_rotary_factor"),
                    .expected = "1",
                    .found = fmt::format("{}", part)});
}

RotaryConfig read_rotary(const json& config, const std::string& where) {
  constexpr double kLargestTheta = 1e15;
  constexpr double kDefaultTheta = 10000;
  RotaryConfig rotary;
  require_whole_rotation(config, where);
  const json* parameters = optional_object(config, "rope_parameters", where);
  const json& holder = parameters != nullptr ? *parameters : config;
  rotary.theta =
      optional_number(holder, "rope_theta", where, 1, kLargestTheta).value_or(kDefaultTheta);
  const json* rope =
      parameters != nullptr ? parameters : optional_object(config, "rope_scaling", where);
  if (rope != nullptr) {
    require_whole_rotation(*rope, where);
    read_rope_type(*rope, where, rotary);
  }
  return rotary;
}

/// Token ids may be one number or a list of which the first counts.
std::optional<std::int32_t> read_token_id(const json& config, std::string_view key,
                                          const std::string& where, int vocabulary) {
  const auto found = config.find(key);
  if (found == config.end() || found->is_null()) return std::nullopt;
  const json& value = found->is_array() && !found->empty() ? (*found)[0] : *found;
  return static_cast<std::int32_t>(checked_int(value, field_of(where, key), 0, vocabulary - 1));
}

void read_heads(const json& config, const std::string& where, ModelConfig& out) {
  out.query_heads = size_field(config, "num_attention_heads", where, search::Partition::kMaxHeads);
  out.kv_heads = size_field_or(config, "num_key_value_heads", where, out.query_heads);
  require_division(out.query_heads, "num_attention_heads", out.kv_heads, "num_key_value_heads",
                   where);
  const auto head_dim = optional_int(config, "head_dim", where, 1, kLargestSize);
  if (!head_dim) {
    require_division(out.width, "hidden_size", out.query_heads, "num_attention_heads", where);
  }
  out.head_dim = static_cast<int>(head_dim.value_or(out.width / out.query_heads));
  if (out.head_dim % 2 != 0) {
    throw InputError({.what = "rotary embedding needs an even head_dim",
                      .where = where,
                      .expected = "an even number",
                      .found = std::to_string(out.head_dim)});
  }
}

void read_attention_bias(const json& config, const ArchitectureSpec& spec, const std::string& where,
                         ModelConfig& out) {
  if (spec.attention_bias == AttentionBias::kInputs) {
    out.input_bias = true;
  } else {
    out.input_bias = optional_bool(config, "attention_bias", where).value_or(false);
    out.output_bias = out.input_bias;
  }
}

/// Whether each layer is a "sliding_attention" one: by "layer_types", else from "max_window_layers"
/// on.
std::vector<bool> sliding_layers(const json& config, int layers, const std::string& where) {
  std::vector<bool> sliding(static_cast<std::size_t>(layers));
  const auto types = config.find("layer_types");
  if (types == config.end() || types->is_null()) {
    const auto first = optional_int(config, "max_window_layers", where, 0, kMostLayers).value_or(0);
    for (std::size_t i = 0; i < sliding.size(); ++i) sliding[i] = std::cmp_greater_equal(i, first);
    return sliding;
  }
  const json& listed = required_array(config, "layer_types", where);
  if (listed.size() != sliding.size()) {
    throw InputError({.what = "layer_types does not have an entry for every layer",
                      .where = field_of(where, "layer_types"),
                      .expected = fmt::format("{} entries", layers),
                      .found = std::to_string(listed.size())});
  }
  for (std::size_t i = 0; i < sliding.size(); ++i) {
    sliding[i] = listed[i] == "sliding_attention";
    if (sliding[i] || listed[i] == "full_attention") continue;
    throw InputError({.what = "kind of attention is not supported",
                      .where = field_of(where, fmt::format("layer_types[{}]", i)),
                      .expected = "full_attention or sliding_attention",
                      .found = describe_json(listed[i])});
  }
  return sliding;
}

std::vector<int> read_sliding_windows(const json& config, const ArchitectureSpec& spec, int layers,
                                      const std::string& where) {
  if (spec.sliding_window == SlidingWindow::kNone) return {};
  const bool by_flag = spec.sliding_window == SlidingWindow::kByFlag;
  if (by_flag && !optional_bool(config, "use_sliding_window", where).value_or(false)) return {};
  const auto window = optional_int(config, "sliding_window", where, 1, kLargestSize);
  if (!window) return {};
  std::vector<int> windows(static_cast<std::size_t>(layers), static_cast<int>(*window));
  if (!by_flag) return windows;
  const std::vector<bool> sliding = sliding_layers(config, layers, where);
  for (std::size_t i = 0; i < windows.size(); ++i) {
    if (!sliding[i]) windows[i] = 0;
  }
  return windows;
}

}  // namespace

ModelConfig read_model_config(const json& config, const ArchitectureSpec& spec,
                              const std::string& where) {
  refuse_unsupported(config, spec, where);
  require_activation(config, spec, where);
  ModelConfig out;
  out.architecture = spec.architecture;
  out.layers = size_field(config, "num_hidden_layers", where, kMostLayers);
  out.width = size_field(config, "hidden_size", where);
  out.mlp_width = size_field(config, "intermediate_size", where);
  out.vocabulary = size_field(config, "vocab_size", where, kLargestVocabulary);
  out.context = size_field(config, "max_position_embeddings", where);
  out.norm_epsilon = required_number(config, "rms_norm_eps", where, 0, 1);
  read_heads(config, where, out);
  out.rotary = read_rotary(config, where);
  out.rotary.dimensions = out.head_dim;
  read_attention_bias(config, spec, where, out);
  out.sliding_windows = read_sliding_windows(config, spec, out.layers, where);
  out.mlp_bias = optional_bool(config, "mlp_bias", where).value_or(false);
  out.tied_embeddings = optional_bool(config, "tie_word_embeddings", where).value_or(false);
  out.bos = read_token_id(config, "bos_token_id", where, out.vocabulary);
  return out;
}

}  // namespace regroup::models
