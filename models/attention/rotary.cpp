#include "models/attention/rotary.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "models/tensors/tensors.hpp"

namespace regroup::models {
namespace {

/// base^(2c / d_r), float32 [d_r/2].
at::Tensor wavelengths_of(double base, int dimensions) {
  const at::Tensor exponents = at::arange(0, dimensions, 2, at::kFloat) / dimensions;
  return at::pow(at::scalar_tensor(base, at::kFloat), exponents);
}

/// Frequencies under each kind of scaling, of a window of `length` tokens.
struct Scaled {
  const RotaryConfig& config;
  std::int64_t length;

  at::Tensor plain() const { return 1.0 / wavelengths_of(config.theta, config.dimensions); }

  at::Tensor operator()(std::monostate) const { return plain(); }
  at::Tensor operator()(const LinearRotaryScaling& scaling) const {
    return plain() / scaling.factor;
  }
  at::Tensor operator()(const DynamicRotaryScaling& scaling) const {
    const double stretch =
        std::max(static_cast<double>(length), scaling.original_context) / scaling.original_context;
    const double d = config.dimensions;
    const double base =
        config.theta * std::pow(scaling.factor * stretch - (scaling.factor - 1), d / (d - 2));
    return 1.0 / wavelengths_of(base, config.dimensions);
  }
  at::Tensor operator()(const YarnRotaryScaling& scaling) const;
  at::Tensor operator()(const Llama3RotaryScaling& scaling) const;
  at::Tensor operator()(const LongRotaryScaling& scaling) const {
    const bool is_long = static_cast<double>(length) > scaling.original_context;
    const std::vector<double>& factors = is_long ? scaling.long_factors : scaling.short_factors;
    return 1.0 /
           (at::tensor(factors, at::kFloat) * wavelengths_of(config.theta, config.dimensions));
  }
};

/// Dimensions that turn often within the original context keep their frequency, those that turn
/// seldom are divided, a ramp lies between.
at::Tensor Scaled::operator()(const YarnRotaryScaling& scaling) const {
  constexpr double kNoWidth = 0.001;
  const int half = config.dimensions / 2;
  const auto bound = [&](double turns) {
    return config.dimensions * std::log(scaling.original_context / (turns * 2 * std::numbers::pi)) /
           (2 * std::log(config.theta));
  };
  double low = bound(scaling.fast_turns);
  double high = bound(scaling.slow_turns);
  if (scaling.rounds_bounds) {
    low = std::floor(low);
    high = std::ceil(high);
  }
  low = std::max(low, 0.0);
  high = std::min(high, static_cast<double>(config.dimensions - 1));
  if (low == high) high += kNoWidth;
  const at::Tensor ramp = ((at::arange(half, at::kFloat) - low) / (high - low)).clamp(0, 1);
  const at::Tensor kept = 1 - ramp;
  const at::Tensor lengths = wavelengths_of(config.theta, config.dimensions);
  return 1.0 / (scaling.factor * lengths) * (1 - kept) + 1.0 / lengths * kept;
}

/// Llama 3.1: long waves are slowed by `factor`, short ones stay, those between are blended.
at::Tensor Scaled::operator()(const Llama3RotaryScaling& scaling) const {
  const at::Tensor frequencies = plain();
  const at::Tensor wavelengths = 2 * std::numbers::pi / frequencies;
  const at::Tensor slowed = frequencies / scaling.factor;
  const at::Tensor blend = (scaling.original_context / wavelengths - scaling.low_frequency_factor) /
                           (scaling.high_frequency_factor - scaling.low_frequency_factor);
  const at::Tensor blended = (1 - blend) * slowed + blend * frequencies;
  const double longest_kept = scaling.original_context / scaling.high_frequency_factor;
  const double shortest_slowed = scaling.original_context / scaling.low_frequency_factor;
  return at::where(wavelengths < longest_kept, frequencies,
                   at::where(wavelengths > shortest_slowed, slowed, blended));
}

/// Of cosines and sines.
double attention_factor(const RotaryScaling& scaling) {
  if (const auto* yarn = std::get_if<YarnRotaryScaling>(&scaling)) return yarn->attention_factor;
  if (const auto* own = std::get_if<LongRotaryScaling>(&scaling)) return own->attention_factor;
  return 1;
}

/// The longest window that has the usual frequencies; 0: all have.
std::int64_t longest_usual(const RotaryScaling& scaling) {
  if (const auto* dynamic = std::get_if<DynamicRotaryScaling>(&scaling)) {
    return static_cast<std::int64_t>(dynamic->original_context);
  }
  if (const auto* own = std::get_if<LongRotaryScaling>(&scaling)) {
    return static_cast<std::int64_t>(own->original_context);
  }
  return 0;
}

}  // namespace

at::Tensor rotary_frequencies(const RotaryConfig& config, std::int64_t length) {
  return std::visit(Scaled{config, length}, config.scaling);
}

at::Tensor wide_rotary_divisors(const RotaryConfig& config, int multiple, std::int64_t length) {
  RotaryConfig plain{.dimensions = multiple * config.dimensions, .theta = config.theta};
  const at::Tensor wanted = rotary_frequencies(config, length).repeat_interleave(multiple);
  return rotary_frequencies(plain) / wanted;
}

Rotary::Rotary(const RotaryConfig& config, int positions, const ComputeOptions& options)
    : config_(config), positions_(positions), options_(options) {
  make_tables();
}

void Rotary::make_tables() {
  if (dimensions() == 0) return;
  usual_ = tables(0);
  changes_after_ = longest_usual(config_.scaling);
  // Two sets of factors make two sets of tables; a base that grows makes one for each length.
  if (std::holds_alternative<LongRotaryScaling>(config_.scaling))
    long_ = tables(std::max<std::int64_t>(positions_, changes_after_) + 1);
}

Rotary Rotary::with_frequencies(const std::vector<int>& frequencies) const {
  Rotary changed = *this;
  const std::vector<std::int64_t> places(frequencies.begin(), frequencies.end());
  changed.frequencies_ = at::tensor(places, at::kLong);
  changed.make_tables();
  return changed;
}

Rotary Rotary::at_positions(std::int64_t first, std::int64_t step, std::int64_t length) const {
  if (dimensions() == 0) return *this;
  const Tables whole = tables_until(length);
  Rotary chosen = *this;
  chosen.usual_ = {whole.cosines.slice(0, first, length, step),
                   whole.sines.slice(0, first, length, step)};
  chosen.long_ = {};
  chosen.changes_after_ = 0;
  return chosen;
}

Rotary::Tables Rotary::tables(std::int64_t length) const {
  const std::int64_t positions = std::max(positions_, length);
  at::Tensor turns = rotary_frequencies(config_, length);
  if (frequencies_.defined()) turns = turns.index_select(0, frequencies_);
  const at::Tensor angles = at::outer(at::arange(positions, at::kFloat), turns);
  const bool is_split = config_.layout == RotaryLayout::kHalfSplit;
  const at::Tensor both = is_split ? at::cat({angles, angles}, 1) : angles.repeat_interleave(2, 1);
  const double factor = attention_factor(config_.scaling);
  return {to_compute(both.cos() * factor, options_), to_compute(both.sin() * factor, options_)};
}

Rotary::Tables Rotary::tables_until(std::int64_t end) const {
  const bool is_long = changes_after_ > 0 && end > changes_after_;
  return !is_long ? usual_ : long_.sines.defined() ? long_ : tables(end);
}

at::Tensor Rotary::apply(const at::Tensor& heads, std::int64_t offset) const {
  return turn(heads, offset, 1);
}

at::Tensor Rotary::undo(const at::Tensor& heads) const {
  return turn(heads, 0, -1);
}

at::Tensor Rotary::partners(const at::Tensor& rows) const {
  const std::int64_t half = dimensions() / 2;
  if (config_.layout == RotaryLayout::kHalfSplit) {
    return at::cat({-rows.slice(3, half), rows.slice(3, 0, half)}, 3);
  }
  const at::Tensor pairs = rows.unflatten(3, {half, 2});
  return at::stack({-pairs.select(4, 1), pairs.select(4, 0)}, 4).flatten(3);
}

at::Tensor Rotary::turn(const at::Tensor& heads, std::int64_t offset, double direction) const {
  if (dimensions() == 0) return heads;
  const std::int64_t end = offset + heads.size(2);
  const Tables own = tables_until(end);
  const bool is_whole = dimensions() == heads.size(3);
  const at::Tensor rows = is_whole ? heads : heads.slice(3, 0, dimensions());
  const at::Tensor turned = rows * own.cosines.slice(0, offset, end) +
                            partners(rows) * (direction * own.sines.slice(0, offset, end));
  return is_whole ? turned : at::cat({turned, heads.slice(3, dimensions())}, 3);
}

}  // namespace regroup::models
