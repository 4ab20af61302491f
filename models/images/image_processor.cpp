#include "models/images/image_processor.hpp"

#include <algorithm>

#include "models/images/resample.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

/// The sides that an image of `size` is given.
ImageSize resized_size(const ResizeRule& rule, ImageSize size, const std::string& where) {
  if (!rule.shortest_edge) return rule.size;
  const int shorter = std::min(size.height, size.width);
  const int longer = std::max(size.height, size.width);
  const auto edge = static_cast<std::uint64_t>(*rule.shortest_edge);
  const double product = static_cast<double>(edge) * longer;
  const auto other = static_cast<std::uint64_t>(product / shorter);
  return size.width <= size.height ? checked_image_size(other, edge, where)
                                   : checked_image_size(edge, other, where);
}

/// The part of a line of pixels that the centre crop takes, and where it goes to.
struct CropSpan {
  std::size_t from = 0;
  std::size_t to = 0;
  std::size_t length = 0;
};

/// Half a pixel goes to the end that is cut off and to the beginning that is filled up.
CropSpan crop_span(int length, int wanted) {
  const auto size = static_cast<std::size_t>(std::min(length, wanted));
  if (length >= wanted) return {static_cast<std::size_t>(length - wanted) / 2, 0, size};
  return {0, static_cast<std::size_t>(wanted - length + 1) / 2, size};
}

RgbImage center_crop(const RgbImage& image, ImageSize size) {
  const CropSpan rows = crop_span(image.size.height, size.height);
  const CropSpan columns = crop_span(image.size.width, size.width);
  const auto width = static_cast<std::size_t>(image.size.width);
  const auto new_width = static_cast<std::size_t>(size.width);
  RgbImage result{size, std::vector<std::uint8_t>(size.pixels() * RgbImage::kChannels)};
  for (std::size_t row = 0; row < rows.length; ++row) {
    const std::size_t from = (rows.from + row) * width + columns.from;
    const std::size_t to = (rows.to + row) * new_width + columns.to;
    std::copy_n(image.pixels.data() + from * RgbImage::kChannels,
                columns.length * RgbImage::kChannels,
                result.pixels.data() + to * RgbImage::kChannels);
  }
  return result;
}

/// What each of the 256 values of a channel becomes; the steps and their types are NumPy's.
std::array<float, 256> channel_values(const ImageProcessor& processor, std::size_t channel) {
  std::array<float, 256> values{};
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto pixel = static_cast<double>(i);
    values[i] = static_cast<float>(pixel * processor.rescale_factor.value_or(1.0));
    if (const auto& normalization = processor.normalization) {
      values[i] = (values[i] - normalization->mean[channel]) / normalization->deviation[channel];
    }
  }
  return values;
}

/// [height, width, 3] bytes into [3, height, width] numbers.
std::vector<float> planes(const ImageProcessor& processor, const RgbImage& image) {
  std::vector<float> result;
  result.reserve(image.pixels.size());
  for (std::size_t channel = 0; channel < RgbImage::kChannels; ++channel) {
    const auto values = channel_values(processor, channel);
    for (std::size_t i = channel; i < image.pixels.size(); i += RgbImage::kChannels) {
      result.push_back(values[image.pixels[i]]);
    }
  }
  return result;
}

}  // namespace

std::vector<float> process_image(const ImageProcessor& processor, const RgbImage& image,
                                 const std::string& where) {
  RgbImage result = image;
  if (const auto& rule = processor.resize) {
    result = resize(image, resized_size(*rule, image.size, where), rule->filter);
  }
  if (processor.crop) result = center_crop(result, *processor.crop);
  if (result.size != processor.model_size) {
    throw InputError({.what = "image has not the size of the model's input",
                      .where = where,
                      .expected = text_of(processor.model_size),
                      .found = text_of(result.size)});
  }
  return planes(processor, result);
}

}  // namespace regroup::models
