#pragma once

#include <array>
#include <cstddef>
#include <vector>

namespace regroup::models {

/// Images as a model reads them. Thread-safe.
class ImageSet {
 public:
  virtual ~ImageSet() = default;

  virtual std::size_t size() const = 0;
  /// Channels, height and width, alike for all.
  virtual std::array<int, 3> shape() const = 0;
  /// The number of the image's class.
  virtual int label(std::size_t image) const = 0;
  /// The normalised image, [channels · height · width]. Throws InputError if it cannot be decoded.
  virtual std::vector<float> pixels(std::size_t image) const = 0;
};

}  // namespace regroup::models
