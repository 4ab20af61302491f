#include "models/architecture/config_parts.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "models/files/json_fields.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

using nlohmann::json;

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

/// The part of a head that is rotated, under whichever name the config says it.
double rotated_part(const json& config, const json* rope, const std::string& where) {
  for (const json* holder : {rope, &config}) {
    for (const char* name : {"partial_rotary_factor", "rotary_pct"}) {
      if (holder == nullptr) continue;
      if (const auto part = optional_number(*holder, name, where, 0, 1)) return *part;
    }
  }
  return 1;
}

/// The rotated rows of a head; all of them where the family knows nothing else.
int rotary_dimensions(double part, const ArchitectureSpec& spec, int head_dim,
                      const std::string& where) {
  if (part != 1 && spec.rotary != RotaryKind::kPartial) {
    throw InputError({.what = "partial rotary embedding is not supported",
                      .where = field_of(where, "partial_rotary_factor"),
                      .expected = "1",
                      .found = fmt::format("{}", part)});
  }
  const int dimensions = static_cast<int>(part * head_dim);
  if (dimensions % 2 == 0) return dimensions;
  throw InputError({.what = "rotary embedding needs an even head_dim",
                    .where = where,
                    .expected = "an even number",
                    .found = std::to_string(dimensions)});
}

}  // namespace

RotaryConfig read_rotary(const json& config, const ArchitectureSpec& spec, int head_dim,
                         const std::string& where) {
  constexpr double kLargestTheta = 1e15;
  constexpr double kDefaultTheta = 10000;
  RotaryConfig rotary;
  if (spec.rotary == RotaryKind::kNone) return rotary;
  const json* parameters = optional_object(config, "rope_parameters", where);
  const json* rope =
      parameters != nullptr ? parameters : optional_object(config, "rope_scaling", where);
  const json& holder = parameters != nullptr ? *parameters : config;
  const auto older = optional_number(config, "rotary_emb_base", where, 1, kLargestTheta);
  rotary.theta = optional_number(holder, "rope_theta", where, 1, kLargestTheta)
                     .value_or(older.value_or(kDefaultTheta));
  if (rope != nullptr) read_rope_type(*rope, where, rotary);
  rotary.dimensions = rotary_dimensions(rotated_part(config, rope, where), spec, head_dim, where);
  return rotary;
}

}  // namespace regroup::models
