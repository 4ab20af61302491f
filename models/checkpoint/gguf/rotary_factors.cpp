#include "models/checkpoint/gguf/rotary_factors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <vector>

#include "models/elements/conversion.hpp"
#include "models/elements/tensor_view.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

constexpr double kFullTurn = 6.283185307179586476925;
constexpr double kTolerance = 1e-5;

/// The numbers of "llama3" with low_freq_factor 1.
struct Scaling {
  double factor = 1;
  double high = 4;
  double context = 0;
};

/// Turns of each frequency in one token: the inverse of its wave length.
std::vector<double> turns_per_token(double theta, std::size_t count) {
  std::vector<double> turns;
  for (std::size_t i = 0; i < count; ++i) {
    turns.push_back(std::pow(theta, -static_cast<double>(i) / static_cast<double>(count)) /
                    kFullTurn);
  }
  return turns;
}

/// What a frequency is divided by: `factor` where it turns less than once in the context, nothing
/// from `high` turns on, and between them the inverse of the mean that the turns say.
double factor_at(const Scaling& scaling, double turns_per_token) {
  const double turns = scaling.context * turns_per_token;
  const double kept = std::clamp((turns - 1) / (scaling.high - 1), 0.0, 1.0);
  return 1 / ((1 - kept) / scaling.factor + kept);
}

bool fits(const Scaling& scaling, const std::vector<float>& factors,
          const std::vector<double>& turns) {
  for (std::size_t i = 0; i < factors.size(); ++i) {
    const double expected = factor_at(scaling, turns[i]);
    if (!(std::abs(factors[i] - expected) <= kTolerance * expected)) return false;
  }
  return true;
}

/// Frequencies by what is done to them.
struct Bands {
  std::vector<std::size_t> kept;    ///< as they are: the first ones
  std::vector<std::size_t> middle;  ///< divided by less than the factor
  std::vector<std::size_t> scaled;
};

Bands bands_of(const std::vector<float>& factors, double factor) {
  Bands bands;
  for (std::size_t i = 0; i < factors.size(); ++i) {
    if (factors[i] <= 1 + kTolerance) {
      bands.kept.push_back(i);
    } else if (factors[i] < factor * (1 - kTolerance)) {
      bands.middle.push_back(i);
    } else {
      bands.scaled.push_back(i);
    }
  }
  return bands;
}

/// Between the ends, what is kept of a frequency is a line: context / (high - 1) · turns -
/// 1 / (high - 1). Two frequencies there say it. Where there are fewer, several lines give these
/// factors, and one of them is taken.
Scaling scaling_of(const std::vector<float>& factors, const std::vector<double>& turns) {
  Scaling scaling;
  scaling.factor = *std::max_element(factors.begin(), factors.end());
  const Bands bands = bands_of(factors, scaling.factor);
  const auto kept = [&](std::size_t i) {
    return (1 / static_cast<double>(factors[i]) - 1 / scaling.factor) / (1 - 1 / scaling.factor);
  };
  if (bands.middle.size() >= 2) {
    const std::size_t a = bands.middle.front();
    const std::size_t b = bands.middle.back();
    const double slope = (kept(a) - kept(b)) / (turns[a] - turns[b]);
    scaling.high = 1 - 1 / (kept(a) - slope * turns[a]);
    scaling.context = slope * (scaling.high - 1);
  } else if (bands.middle.size() == 1) {
    const std::size_t only = bands.middle.front();
    scaling.context = (kept(only) * (scaling.high - 1) + 1) / turns[only];
  } else if (bands.scaled.empty()) {
    scaling.high = 0;  // some are below 1, which no scaling gives
  } else {
    scaling.context = 1 / turns[bands.scaled.front()];
    if (!bands.kept.empty()) scaling.high = turns[bands.kept.back()] * scaling.context;
  }
  return scaling;
}

double rounded(double value) {
  constexpr double kSteps = 1024;  // halves and quarters stay
  return std::round(value * kSteps) / kSteps;
}

/// The factors of the file, checked.
std::vector<float> read_factors(const GgufTensorPlace& factors, std::int64_t dimensions,
                                const std::string& label) {
  if (factors.type != GgmlType::kF32 || factors.shape != std::vector{dimensions / 2}) {
    throw InputError({.what = "factors of the rotary frequencies have another form",
                      .where = label,
                      .expected = fmt::format("[{}] of F32", dimensions / 2),
                      .found = shape_text(factors.shape)});
  }
  std::vector<float> values(static_cast<std::size_t>(dimensions / 2));
  to_float(DType::kF32, factors.bytes, values);
  for (const float value : values) {
    if (std::isfinite(value) && value > 0) continue;
    throw InputError({.what = "factor of the rotary frequencies divides nothing",
                      .where = label,
                      .expected = "positive numbers",
                      .found = fmt::format("{}", value)});
  }
  return values;
}

/// Of type "llama3"; null where no numbers of it give these factors.
nlohmann::json llama3_scaling(const std::vector<float>& factors, double theta) {
  const std::vector<double> turns = turns_per_token(theta, factors.size());
  const Scaling found = scaling_of(factors, turns);
  // Configs have whole numbers, or nearly.
  const Scaling plain{rounded(found.factor), rounded(found.high), std::round(found.context)};
  for (const Scaling& scaling : {plain, found}) {
    if (!(scaling.high > 1) || !fits(scaling, factors, turns)) continue;
    return {{"rope_type", "llama3"},
            {"factor", scaling.factor},
            {"low_freq_factor", 1.0},
            {"high_freq_factor", scaling.high},
            {"original_max_position_embeddings", scaling.context}};
  }
  return nullptr;
}

}  // namespace

nlohmann::json scaling_of_factors(const GgufTensorPlace& factors, double theta,
                                  std::int64_t dimensions, std::int64_t context,
                                  const std::string& where) {
  const std::vector<float> values =
      read_factors(factors, dimensions, where + ", " + tensor_label(kRotaryFactors));
  const auto is_one = [](float value) { return value == 1; };
  if (std::all_of(values.begin(), values.end(), is_one)) return nullptr;
  nlohmann::json scaling = llama3_scaling(values, theta);
  if (!scaling.is_null()) return scaling;
  return {{"rope_type", "longrope"},
          {"short_factor", values},
          {"long_factor", values},
          {"attention_factor", 1.0},
          {"original_max_position_embeddings", context}};
}

}  // namespace regroup::models
