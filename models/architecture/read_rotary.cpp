#include <nlohmann/json.hpp>

#include "models/architecture/config_parts.hpp"
#include "models/files/json_fields.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

using nlohmann::json;

constexpr double kLargestTheta = 1e15;
constexpr const char* kFullLayers = "full_attention";
constexpr const char* kSlidingLayers = "sliding_attention";

/// The rotary settings as transformers takes them: what "rope_scaling" says, else
/// "rope_parameters"; an empty object says nothing.
json rope_object(const json& config, const std::string& where) {
  for (const char* key : {"rope_scaling", "rope_parameters"}) {
    const json* rope = optional_object(config, key, where);
    if (rope != nullptr && !rope->empty()) return *rope;
  }
  return json::object();
}

int rotary_dimensions(double part, int head_dim, const std::string& where) {
  const int dimensions = static_cast<int>(part * head_dim);
  if (dimensions % 2 == 0) return dimensions;
  throw InputError({.what = "rotary embedding needs an even head_dim",
                    .where = where,
                    .expected = "an even number",
                    .found = std::to_string(dimensions)});
}

/// The part of a head that turns.
double rotated_part(const json& rope, const json& config, const RotaryDefaults& usual,
                    const std::string& where) {
  if (const auto part = optional_number(rope, "partial_rotary_factor", where, 0, 1)) return *part;
  return optional_number(config, usual.part_field, where, 0, 1).value_or(usual.part);
}

/// One kind of layer's embedding; `theta` is that of settings which say none.
RotaryConfig rotary_of(const json& rope, const json& config, const ArchitectureSpec& spec,
                       double theta, const std::string& where, const ModelConfig& model) {
  RotaryConfig rotary;
  rotary.theta = optional_number(rope, "rope_theta", where, 1, kLargestTheta).value_or(theta);
  const double part = rotated_part(rope, config, spec.rotary_defaults, where);
  if (part != 1 && spec.rotary != RotaryKind::kPartial) {
    refuse_field(where, "partial_rotary_factor", "1", json(part).dump());
  }
  rotary.dimensions = rotary_dimensions(part, model.head_dim, where);
  rotary.scaling = read_rotary_scaling(rope, config, rotary.dimensions, model.context, where);
  return rotary;
}

/// What settings by kind of layer say of one kind.
json nested(const json& rope, const char* kind, const std::string& where) {
  const json* own = optional_object(rope, kind, where);
  return own != nullptr ? *own : json::object();
}

/// Families whose layers with a sliding window have a base of their own.
void read_both_kinds(const json& config, const ArchitectureSpec& spec, const std::string& where,
                     ModelConfig& out) {
  const json* parameters = optional_object(config, "rope_parameters", where);
  const json rope = parameters != nullptr ? *parameters : json::object();
  json full = nested(rope, kFullLayers, where);
  if (const json* older = optional_object(config, "rope_scaling", where)) full.update(*older);
  const auto theta_of = [&](const char* key, double usual) {
    return optional_number(config, key, where, 1, kLargestTheta).value_or(usual);
  };
  const double theta = theta_of("rope_theta", spec.rotary_defaults.theta);
  const double local = theta_of("rope_local_base_freq", spec.rotary_defaults.sliding_theta);
  out.rotary = rotary_of(full, config, spec, theta, where, out);
  const RotaryConfig sliding =
      rotary_of(nested(rope, kSlidingLayers, where), config, spec, local, where, out);
  for (int layer = 0; layer < out.layers; ++layer) {
    const bool is_full = out.sliding_window(static_cast<std::size_t>(layer)) == 0;
    out.rotary_by_layer.push_back(is_full ? out.rotary : sliding);
  }
}

}  // namespace

void read_rotary(const json& config, const ArchitectureSpec& spec, const std::string& where,
                 ModelConfig& out) {
  if (spec.rotary == RotaryKind::kNone) return;
  if (spec.rotary_defaults.sliding_theta > 0) {
    read_both_kinds(config, spec, where, out);
    return;
  }
  const json rope = rope_object(config, where);
  if (rope.contains(kFullLayers) || rope.contains(kSlidingLayers)) {
    throw InputError({.what = "rotary settings by kind of layer are not supported",
                      .where = field_of(where, "rope_parameters"),
                      .expected = "one for all layers",
                      .found = "full_attention or sliding_attention"});
  }
  const auto theta =
      optional_number(config, spec.rotary_defaults.theta_field, where, 1, kLargestTheta);
  out.rotary =
      rotary_of(rope, config, spec, theta.value_or(spec.rotary_defaults.theta), where, out);
}

}  // namespace regroup::models
