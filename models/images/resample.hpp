#pragma once

#include <cstdint>
#include <vector>

namespace regroup::models {

/// Pillow's filters, under its numbers, which preprocessor_config.json uses too.
enum class Resample {
  kNearest = 0,
  kLanczos = 1,
  kBilinear = 2,
  kBicubic = 3,
  kBox = 4,
  kHamming = 5,
};
inline constexpr int kResampleFilters = 6;

/// What one output pixel of a line is made of: the pixels from `first` on, times `weights`, which
/// are in units of 2^-kWeightBits and sum up to about 1.
struct ResampleWindow {
  int first = 0;
  std::vector<std::int32_t> weights;
};

/// Leaves sums of eight-bit pixels room in 32 bits, sign and overshoot included.
inline constexpr int kWeightBits = 22;

/// The windows of a line of `from` pixels that becomes one of `to`, for every filter but kNearest.
///
/// The filter is centred on the output pixel and stretched when the line shrinks, so that every
/// pixel counts (antialiasing). Weights are normalised in double and then rounded, half away from
/// 0. The order of every operation is Pillow's, hence the bytes are. O(from + to · support).
std::vector<ResampleWindow> resample_windows(int from, int to, Resample filter);

}  // namespace regroup::models
