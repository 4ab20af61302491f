#pragma once

#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "models/images/resample.hpp"
#include "models/images/rgb_image.hpp"

namespace regroup::models {

/// The size that an image is given: `size`, or, where `shortest_edge` is there, that length for the
/// shorter side while the other keeps the proportion.
struct ResizeRule {
  ImageSize size;
  std::optional<int> shortest_edge;
  Resample filter = Resample::kBilinear;
};

/// Mean and standard deviation of red, green and blue.
struct Normalization {
  std::array<float, 3> mean{};
  std::array<float, 3> deviation{};
};

/// How an image becomes a model's input: the steps of an image processor of transformers, in their
/// order; a step that is absent is left out.
struct ImageProcessor {
  std::optional<ResizeRule> resize;
  std::optional<ImageSize> crop;         ///< from the centre; smaller images get a black border
  std::optional<double> rescale_factor;  ///< of pixels from 0 to 255
  std::optional<Normalization> normalization;
  ImageSize model_size;  ///< of the model's input, which the result must have
};

/// What the `preprocessor_config.json` of a model directory says of images for a model whose input
/// has `model_size`; without that file ViT's defaults: resized to that size with the bilinear
/// filter, pixels from −1 to 1.
///
/// Read are files of ViT, DeiT, BEiT, CLIP, BiT and ConvNeXt processors, with the defaults that
/// transformers 5 gives to each. Throws InputError for other processors, for a field that is not
/// supported, by its name, and for sizes that lead to another one than the model's.
ImageProcessor read_image_processor(const std::filesystem::path& model_directory,
                                    ImageSize model_size);

/// The model's input for an image: [3, height, width], the values that transformers computes in
/// float32. `where` names the image. Throws InputError when the result has not the model's size.
std::vector<float> process_image(const ImageProcessor& processor, const RgbImage& image,
                                 const std::string& where);

}  // namespace regroup::models
