#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "models/images/rgb_image.hpp"

namespace regroup::models {

/// The image in the bytes of a JPEG file: grey, colour, or CMYK with the inverted values that Adobe
/// writes; an orientation in its EXIF data is not applied. With libjpeg-turbo, which Pillow has
/// too, the bytes are Pillow's. `where` names the file. Throws InputError when it is broken,
/// truncated, larger than kMostPixels, or of a kind that libjpeg does not decode; damage that
/// libjpeg gets over is let through, as Pillow does.
RgbImage decode_jpeg(std::span<const std::byte> file, const std::string& where);

}  // namespace regroup::models
