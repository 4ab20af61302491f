#pragma once

#include <array>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "models/images/image_processor.hpp"
#include "models/images/image_set.hpp"

namespace regroup::models {

/// Labelled images of files, in an order that depends on the data alone. Images are read when they
/// are asked for; thread-safe. `pixels` throws InputError, naming the file, when it is not an image
/// that can be read or has not the model's size.
class ImageFiles : public ImageSet {
 public:
  explicit ImageFiles(const ImageProcessor& processor) : processor_(processor) {}
  ImageFiles(const ImageFiles&) = delete;
  ImageFiles& operator=(const ImageFiles&) = delete;

  std::array<int, 3> shape() const override {
    constexpr int kChannels = 3;
    return {kChannels, processor_.model_size.height, processor_.model_size.width};
  }
  /// SHA-256 of all the data, hexadecimal; reads every file. Of a single file its own; of a folder
  /// that of the lines that `sha256sum` prints for the files in order, named from the folder.
  virtual std::string sha256() const = 0;

 protected:
  /// The image as the model's input; `where` names it.
  std::vector<float> processed(const RgbImage& image, const std::string& where) const {
    return process_image(processor_, image, where);
  }

 private:
  ImageProcessor processor_;
};

/// Opens a folder of class folders with images (see open_image_folder), a `.bin` file of CIFAR-10,
/// or a folder with such files (see open_cifar). `labels` are the names of the model's classes, or
/// empty. Throws InputError: no such data, a class that is not the model's (see class_ids), no
/// images.
std::unique_ptr<ImageFiles> open_image_files(const std::filesystem::path& data,
                                             const ImageProcessor& processor,
                                             const std::vector<std::string>& labels);

}  // namespace regroup::models
