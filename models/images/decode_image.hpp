#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

#include "models/images/rgb_image.hpp"

namespace regroup::models {

/// The pixels of a JPEG or PNG file as Pillow's `Image.open(file).convert("RGB")` gives them, byte
/// for byte. The first bytes say which it is, not the name. `where` names the file. Throws
/// InputError for any other file, and as decode_jpeg and decode_png do.
RgbImage decode_image(std::span<const std::byte> file, const std::string& where);

/// The same of a file on the disk; throws InputError when it cannot be read, too.
RgbImage read_image(const std::filesystem::path& file);

/// The image in the bytes of a JPEG file: grey, colour, or CMYK with the inverted values that Adobe
/// writes; an orientation in its EXIF data is not applied. With libjpeg-turbo, which Pillow has
/// too, the bytes are Pillow's. `where` names the file. Throws InputError when it is broken,
/// truncated, larger than kMostPixels, or of a kind that libjpeg does not decode; damage that
/// libjpeg gets over is let through, as Pillow does.
RgbImage decode_jpeg(std::span<const std::byte> file, const std::string& where);

/// The image in the bytes of a PNG file of any colour type and depth. As in Pillow, opacity is left
/// out, gamma and profiles are ignored, of 16-bit colours the high byte counts, and 16-bit greys
/// above 255 become 255. `where` names the file. Throws InputError when it is broken, truncated or
/// larger than kMostPixels.
RgbImage decode_png(std::span<const std::byte> file, const std::string& where);

}  // namespace regroup::models
