#include "models/attention/rotary.hpp"

#include <cmath>
#include <numbers>

#include "models/tensors/tensors.hpp"

namespace regroup::models {
namespace {

/// Llama 3.1: long waves are slowed by `factor`, short ones stay, those between are blended.
at::Tensor scale_frequencies(const at::Tensor& frequencies, const Llama3RotaryScaling& scaling) {
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

}  // namespace

at::Tensor rotary_frequencies(const RotaryConfig& config) {
  const at::Tensor exponents = at::arange(0, config.dimensions, 2, at::kFloat) / config.dimensions;
  const at::Tensor frequencies =
      1.0 / at::pow(at::scalar_tensor(config.theta, at::kFloat), exponents);
  return config.scaling ? scale_frequencies(frequencies, *config.scaling) : frequencies;
}

Rotary::Rotary(const RotaryConfig& config, int positions, const ComputeOptions& options)
    : dimensions_(config.dimensions) {
  if (dimensions_ == 0) return;
  const at::Tensor angles =
      at::outer(at::arange(positions, at::kFloat), rotary_frequencies(config));
  const at::Tensor both_halves = at::cat({angles, angles}, 1);
  cosines_ = to_compute(both_halves.cos(), options);
  sines_ = to_compute(both_halves.sin(), options);
}

at::Tensor Rotary::apply(const at::Tensor& heads, std::int64_t offset) const {
  return turn(heads, offset, 1);
}

at::Tensor Rotary::undo(const at::Tensor& heads) const {
  return turn(heads, 0, -1);
}

at::Tensor Rotary::turn(const at::Tensor& heads, std::int64_t offset, double direction) const {
  if (dimensions_ == 0) return heads;
  const std::int64_t length = heads.size(2);
  const std::int64_t half = dimensions_ / 2;
  const bool is_whole = dimensions_ == heads.size(3);
  const at::Tensor rows = is_whole ? heads : heads.slice(3, 0, dimensions_);
  const at::Tensor swapped = at::cat({-rows.slice(3, half), rows.slice(3, 0, half)}, 3);
  const at::Tensor turned = rows * cosines_.slice(0, offset, offset + length) +
                            swapped * (direction * sines_.slice(0, offset, offset + length));
  return is_whole ? turned : at::cat({turned, heads.slice(3, dimensions_)}, 3);
}

}  // namespace regroup::models
