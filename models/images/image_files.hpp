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

/// The JPEG and PNG files in the folders `classes` of a folder, class by class, each in ascending
/// order of the names; class ids by class_ids. Throws InputError when a class folder holds another
/// folder; what is no image is found out when it is read.
std::unique_ptr<ImageFiles> open_image_folder(const std::filesystem::path& folder,
                                              const std::vector<std::string>& classes,
                                              const ImageProcessor& processor,
                                              const std::vector<std::string>& labels);

/// Images of CIFAR-10's binary version: 32 × 32, a byte of label and the planes of red, green and
/// blue for each.
///
/// `data` is such a file, or a folder in which `files` are such. Where the names in
/// `batches.meta.txt` beside them are among `labels`, they give the class ids; else the labels in
/// the files are class ids. Throws InputError for a file that is not made up of such images, a
/// label above 9, and as class_ids does.
std::unique_ptr<ImageFiles> open_cifar(const std::filesystem::path& data,
                                       const std::vector<std::string>& files,
                                       const ImageProcessor& processor,
                                       const std::vector<std::string>& labels);

}  // namespace regroup::models
