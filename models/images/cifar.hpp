#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "models/images/image_files.hpp"

namespace regroup::models {

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
