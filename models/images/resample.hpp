#pragma once

#include <cstdint>
#include <vector>

#include "models/images/rgb_image.hpp"

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

/// The image in another size as `Image.resize((width, height), filter)` of Pillow 13 gives it, byte
/// for byte: along the rows and then along the columns, rounded to eight bits after each; the other
/// way round where the height loses more than twice as many pixels as the width, which older
/// versions of Pillow do not. A direction that keeps its length is left alone. Both sizes: 1 pixel
/// or more.
RgbImage resize(const RgbImage& image, ImageSize size, Resample filter);

}  // namespace regroup::models
