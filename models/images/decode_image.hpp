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

}  // namespace regroup::models
