#include "models/images/resample.hpp"

#include <algorithm>

namespace regroup::models {
namespace {

/// The part of an array [lines, length, inner] whose middle dimension is resampled.
struct Strides {
  std::size_t lines;
  std::size_t length;
  std::size_t inner;
};

std::uint8_t rounded(std::int32_t sum) {
  constexpr std::int32_t kHalf = 1 << (kWeightBits - 1);
  return static_cast<std::uint8_t>(std::clamp((sum + kHalf) >> kWeightBits, 0, 255));
}

/// Turns [lines, length, inner] into [lines, windows, inner].
std::vector<std::uint8_t> resample(const std::vector<std::uint8_t>& source, const Strides& strides,
                                   const std::vector<ResampleWindow>& windows) {
  const std::size_t inner = strides.inner;
  std::vector<std::uint8_t> result;
  result.reserve(strides.lines * windows.size() * inner);
  std::vector<std::int32_t> sums(inner);
  for (std::size_t line = 0; line < strides.lines; ++line) {
    for (const ResampleWindow& window : windows) {
      std::fill(sums.begin(), sums.end(), 0);
      const std::size_t first = line * strides.length + static_cast<std::size_t>(window.first);
      const std::uint8_t* pixel = source.data() + first * inner;
      for (const std::int32_t weight : window.weights) {
        for (std::size_t i = 0; i < inner; ++i) sums[i] += weight * pixel[i];
        pixel += inner;
      }
      std::transform(sums.begin(), sums.end(), std::back_inserter(result), rounded);
    }
  }
  return result;
}

RgbImage resize_width(RgbImage image, int width, Resample filter) {
  if (width == image.size.width) return image;
  const Strides strides{static_cast<std::size_t>(image.size.height),
                        static_cast<std::size_t>(image.size.width), RgbImage::kChannels};
  const auto windows = resample_windows(image.size.width, width, filter);
  return {{image.size.height, width}, resample(image.pixels, strides, windows)};
}

RgbImage resize_height(RgbImage image, int height, Resample filter) {
  if (height == image.size.height) return image;
  const Strides strides{1, static_cast<std::size_t>(image.size.height),
                        static_cast<std::size_t>(image.size.width) * RgbImage::kChannels};
  const auto windows = resample_windows(image.size.height, height, filter);
  return {{height, image.size.width}, resample(image.pixels, strides, windows)};
}

/// Whether Pillow, since its version 13, goes along the columns first: where the height loses more
/// than twice as many pixels as the width.
bool columns_first(ImageSize from, ImageSize to) {
  const std::int64_t lost_rows = from.height - to.height;
  const std::int64_t lost_columns = from.width - to.width;
  return lost_rows > 0 && lost_rows > 2 * lost_columns;
}

/// For each of `to` pixels the nearest of `from`. The places are summed up and not multiplied out:
/// the rounding is Pillow's.
std::vector<std::size_t> nearest(int from, int to) {
  const double step = static_cast<double>(from) / to;
  std::vector<std::size_t> places;
  double place = step * 0.5;
  for (int i = 0; i < to; ++i, place += step) {
    places.push_back(static_cast<std::size_t>(std::min(static_cast<int>(place), from - 1)));
  }
  return places;
}

RgbImage resize_nearest(const RgbImage& image, ImageSize size) {
  const auto columns = nearest(image.size.width, size.width);
  RgbImage result{size, {}};
  result.pixels.reserve(size.pixels() * RgbImage::kChannels);
  for (const std::size_t row : nearest(image.size.height, size.height)) {
    const std::size_t first = row * static_cast<std::size_t>(image.size.width);
    for (const std::size_t column : columns) {
      const std::uint8_t* pixel = image.pixels.data() + (first + column) * RgbImage::kChannels;
      result.pixels.insert(result.pixels.end(), pixel, pixel + RgbImage::kChannels);
    }
  }
  return result;
}

}  // namespace

RgbImage resize(const RgbImage& image, ImageSize size, Resample filter) {
  if (filter == Resample::kNearest) return resize_nearest(image, size);
  if (columns_first(image.size, size)) {
    return resize_width(resize_height(image, size.height, filter), size.width, filter);
  }
  return resize_height(resize_width(image, size.width, filter), size.height, filter);
}

}  // namespace regroup::models
