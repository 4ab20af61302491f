#include "models/images/rgb_image.hpp"

#include <fmt/format.h>

#include "search/base/error.hpp"

namespace regroup::models {

ImageSize checked_image_size(std::uint64_t height, std::uint64_t width, const std::string& where) {
  if (height > 0 && width > 0 && height <= kMostPixels / width) {
    return {static_cast<int>(height), static_cast<int>(width)};
  }
  throw InputError({.what = "image has an impossible size",
                    .where = where,
                    .expected = fmt::format("1 to {} pixels", kMostPixels),
                    .found = fmt::format("{} x {}", height, width)});
}

std::string text_of(ImageSize size) {
  return fmt::format("{} x {}", size.height, size.width);
}

}  // namespace regroup::models
