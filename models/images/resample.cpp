#include "models/images/resample.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace regroup::models {
namespace {

/// A filter for lines that do not shrink: its weight at a distance in pixels, 0 beyond `support`.
struct Filter {
  double (*weight)(double distance);
  double support;
};

double box(double x) {
  return x > -0.5 && x <= 0.5 ? 1.0 : 0.0;
}

double bilinear(double x) {
  return std::max(0.0, 1.0 - std::abs(x));
}

double sinc(double x) {
  if (x == 0.0) return 1.0;
  x *= std::numbers::pi;
  return std::sin(x) / x;
}

double hamming(double x) {
  x = std::abs(x);
  if (x == 0.0) return 1.0;
  if (x >= 1.0) return 0.0;
  x *= std::numbers::pi;
  // Pillow's constants are floats.
  return std::sin(x) / x * (0.54F + 0.46F * std::cos(x));
}

/// Keys' cubic convolution with a = −1/2.
double bicubic(double x) {
  constexpr double kA = -0.5;
  x = std::abs(x);
  if (x < 1.0) return ((kA + 2.0) * x - (kA + 3.0)) * x * x + 1;
  if (x < 2.0) return (((x - 5) * x + 8) * x - 4) * kA;
  return 0.0;
}

double lanczos(double x) {
  constexpr double kLobes = 3.0;
  return x >= -kLobes && x < kLobes ? sinc(x) * sinc(x / kLobes) : 0.0;
}

Filter filter_of(Resample filter) {
  switch (filter) {
    case Resample::kLanczos:
      return {lanczos, 3.0};
    case Resample::kBicubic:
      return {bicubic, 2.0};
    case Resample::kHamming:
      return {hamming, 1.0};
    case Resample::kBilinear:
      return {bilinear, 1.0};
    case Resample::kBox:
    case Resample::kNearest:
      break;
  }
  return {box, 0.5};
}

std::int32_t fixed_point(double weight) {
  const double scaled = weight * (1 << kWeightBits);
  return static_cast<std::int32_t>(scaled + (scaled < 0 ? -0.5 : 0.5));
}

/// The nearest border between pixels, the later one if two are equally near.
int nearest_border(double place) {
  return static_cast<int>(std::floor(place + 0.5));
}

/// The window around `center`, a place in the line of `from` pixels.
ResampleWindow window_around(double center, int from, const Filter& filter, double stretch) {
  const double support = filter.support * stretch;
  const double shrink = 1.0 / stretch;
  const int first = std::max(0, nearest_border(center - support));
  const int end = std::min(from, nearest_border(center + support));
  std::vector<double> weights;
  double sum = 0;
  for (int i = first; i < end; ++i) {
    weights.push_back(filter.weight((i - center + 0.5) * shrink));
    sum += weights.back();
  }
  ResampleWindow window{first, {}};
  for (const double weight : weights) {
    window.weights.push_back(fixed_point(sum != 0.0 ? weight / sum : weight));
  }
  return window;
}

}  // namespace

std::vector<ResampleWindow> resample_windows(int from, int to, Resample filter) {
  const double scale = static_cast<double>(from) / to;
  const double stretch = std::max(scale, 1.0);
  std::vector<ResampleWindow> windows;
  windows.reserve(static_cast<std::size_t>(to));
  for (int i = 0; i < to; ++i) {
    windows.push_back(window_around((i + 0.5) * scale, from, filter_of(filter), stretch));
  }
  return windows;
}

}  // namespace regroup::models
