#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace regroup::models {

/// Height and width in pixels.
struct ImageSize {
  int height = 0;
  int width = 0;

  bool operator==(const ImageSize&) const = default;
  std::size_t pixels() const {
    return static_cast<std::size_t>(height) * static_cast<std::size_t>(width);
  }
};

/// Red, green and blue of an image, eight bits each, row by row from the top left corner.
struct RgbImage {
  static constexpr std::size_t kChannels = 3;

  ImageSize size;
  std::vector<std::uint8_t> pixels;  ///< [height, width, kChannels]
};

/// Most pixels of an image that is read or made; Pillow refuses to open larger ones.
inline constexpr std::uint64_t kMostPixels = 178'956'970;

/// The size of an image that is to be made. `where` names the image. Throws InputError when it has
/// no pixels or more than kMostPixels.
ImageSize checked_image_size(std::uint64_t height, std::uint64_t width, const std::string& where);

/// "224 x 196", height first.
std::string text_of(ImageSize size);

}  // namespace regroup::models
