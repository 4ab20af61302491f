#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "models/images/image_processor.hpp"

namespace regroup::models {

/// Labelled images, in an order that depends on the data alone. Images are read when they are asked
/// for; thread-safe.
class ImageSet {
 public:
  ImageSet() = default;
  virtual ~ImageSet() = default;
  ImageSet(const ImageSet&) = delete;
  ImageSet& operator=(const ImageSet&) = delete;

  /// Number of images, 1 or more.
  virtual std::size_t size() const = 0;
  /// Class id of image `i`, a row of the model's classifier.
  virtual int label(std::size_t i) const = 0;
  /// Image `i` as the model's input: [3, height, width]. Throws InputError, naming the file, when
  /// it is not an image that can be read or has not the model's size.
  virtual std::vector<float> pixels(std::size_t i) const = 0;
  /// SHA-256 of all the data, hexadecimal; reads every file. Of a single file its own; of a folder
  /// that of the lines that `sha256sum` prints for the files in order, named from the folder.
  virtual std::string sha256() const = 0;
};

/// Opens a folder of class folders with images (see open_image_folder), a `.bin` file of CIFAR-10,
/// or a folder with such files (see open_cifar). `labels` are the names of the model's classes, or
/// empty. Throws InputError: no such data, a class that is not the model's (see class_ids), no
/// images.
std::unique_ptr<ImageSet> open_image_set(const std::filesystem::path& data,
                                         const ImageProcessor& processor,
                                         const std::vector<std::string>& labels);

}  // namespace regroup::models
