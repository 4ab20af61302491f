#pragma once

#include "models/images/resample.hpp"
#include "models/images/rgb_image.hpp"

namespace regroup::models {

/// The image in another size as `Image.resize((width, height), filter)` of Pillow 13 gives it, byte
/// for byte: along the rows and then along the columns, rounded to eight bits after each; the other
/// way round where the height loses more than twice as many pixels as the width, which older
/// versions of Pillow do not. A direction that keeps its length is left alone. Both sizes: 1 pixel
/// or more.
RgbImage resize(const RgbImage& image, ImageSize size, Resample filter);

}  // namespace regroup::models
