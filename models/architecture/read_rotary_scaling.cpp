#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "models/architecture/config_parts.hpp"
#include "models/files/json_fields.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

using nlohmann::json;

constexpr double kTiny = 1e-6;
constexpr double kHuge = 1e12;

double required_factor(const json& rope, const char* key, const std::string& where) {
  return required_number(rope, key, where, kTiny, kHuge);
}

/// Tokens that the model was trained on before its context was extended: a field beside the other
/// sizes counts before one among the rotary settings.
double original_context(const json& rope, const json& config, int context,
                        const std::string& where) {
  constexpr const char* kKey = "original_max_position_embeddings";
  const auto beside = optional_number(config, kKey, where, 1, kHuge);
  const auto within = optional_number(rope, kKey, where, 1, kHuge);
  return beside ? *beside : within.value_or(context);
}

Llama3RotaryScaling read_llama3(const json& rope, double original, const std::string& where) {
  const Llama3RotaryScaling scaling{
      .factor = required_factor(rope, "factor", where),
      .low_frequency_factor = required_factor(rope, "low_freq_factor", where),
      .high_frequency_factor = required_factor(rope, "high_freq_factor", where),
      .original_context = original};
  if (scaling.high_frequency_factor > scaling.low_frequency_factor) return scaling;
  throw InputError({.what = "rope scaling has no band between its frequencies",
                    .where = where,
                    .expected = "high_freq_factor above low_freq_factor",
                    .found = fmt::format("{} and {}", scaling.high_frequency_factor,
                                         scaling.low_frequency_factor)});
}

/// YaRN's factor of cosines and sines, by how far a context is stretched.
double yarn_magnitude(double factor, double weight) {
  constexpr double kStep = 0.1;
  return factor <= 1 ? 1 : kStep * weight * std::log(factor) + 1;
}

YarnRotaryScaling read_yarn(const json& rope, int context, double original,
                            const std::string& where) {
  YarnRotaryScaling scaling;
  scaling.original_context = original;
  scaling.factor =
      optional_number(rope, "factor", where, kTiny, kHuge).value_or(context / original);
  const auto positive = [&](const char* key, double usual) {
    const double given = optional_number(rope, key, where, 0, kHuge).value_or(0);
    return given > 0 ? given : usual;
  };
  scaling.fast_turns = positive("beta_fast", scaling.fast_turns);
  scaling.slow_turns = positive("beta_slow", scaling.slow_turns);
  scaling.rounds_bounds = optional_bool(rope, "truncate", where).value_or(true);
  const double own = positive("mscale", 0);
  const double all = positive("mscale_all_dim", 0);
  const double usual =
      own > 0 && all > 0 ? yarn_magnitude(scaling.factor, own) / yarn_magnitude(scaling.factor, all)
                         : yarn_magnitude(scaling.factor, 1);
  scaling.attention_factor =
      optional_number(rope, "attention_factor", where, kTiny, kHuge).value_or(usual);
  return scaling;
}

std::vector<double> read_factors(const json& rope, const char* key, int dimensions,
                                 const std::string& where) {
  std::vector<double> factors;
  for (const json& factor : required_array(rope, key, where)) {
    if (!factor.is_number() || factor.get<double>() <= 0) {
      refuse_field(where, key, "numbers above 0", factor.dump());
    }
    factors.push_back(factor.get<double>());
  }
  if (std::ssize(factors) == dimensions / 2) return factors;
  refuse_field(where, key, fmt::format("{} numbers", dimensions / 2),
               std::to_string(factors.size()));
}

LongRotaryScaling read_longrope(const json& rope, int dimensions, int context, double original,
                                const std::string& where) {
  const double factor =
      optional_number(rope, "factor", where, kTiny, kHuge).value_or(context / original);
  const double usual = factor <= 1 ? 1 : std::sqrt(1 + std::log(factor) / std::log(original));
  return {.short_factors = read_factors(rope, "short_factor", dimensions, where),
          .long_factors = read_factors(rope, "long_factor", dimensions, where),
          .original_context = original,
          .attention_factor =
              optional_number(rope, "attention_factor", where, kTiny, kHuge).value_or(usual)};
}

/// Phi-3's config calls LongRoPE by two other names.
bool is_longrope(const std::string& type, const json& config) {
  return type == "longrope" || type == "su" ||
         (type == "yarn" && config.value("model_type", "") == "phi3");
}

}  // namespace

RotaryScaling read_rotary_scaling(const json& rope, const json& config, int dimensions, int context,
                                  const std::string& where) {
  const auto newer = optional_string(rope, "rope_type", where);
  const std::string type =
      newer ? *newer : optional_string(rope, "type", where).value_or("default");
  const double original = original_context(rope, config, context, where);
  if (type == "default") return {};
  if (type == "linear") return LinearRotaryScaling{required_factor(rope, "factor", where)};
  if (type == "dynamic") {
    return DynamicRotaryScaling{required_factor(rope, "factor", where),
                                static_cast<double>(context)};
  }
  if (type == "llama3") return read_llama3(rope, original, where);
  if (is_longrope(type, config)) return read_longrope(rope, dimensions, context, original, where);
  if (type == "yarn") return read_yarn(rope, context, original, where);
  throw InputError({.what = "rope type is not supported",
                    .where = field_of(where, "rope_type"),
                    .expected = "default, linear, dynamic, yarn, llama3 or longrope",
                    .found = type});
}

}  // namespace regroup::models
