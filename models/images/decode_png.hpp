#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "models/images/rgb_image.hpp"

namespace regroup::models {

/// The image in the bytes of a PNG file of any colour type and depth. As in Pillow, opacity is left
/// out, gamma and profiles are ignored, of 16-bit colours the high byte counts, and 16-bit greys
/// above 255 become 255. `where` names the file. Throws InputError when it is broken, truncated or
/// larger than kMostPixels.
RgbImage decode_png(std::span<const std::byte> file, const std::string& where);

}  // namespace regroup::models
