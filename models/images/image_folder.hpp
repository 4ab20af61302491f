#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "models/images/image_files.hpp"

namespace regroup::models {

/// The JPEG and PNG files in the folders `classes` of a folder, class by class, each in ascending
/// order of the names; class ids by class_ids. Throws InputError when a class folder holds another
/// folder; what is no image is found out when it is read.
std::unique_ptr<ImageFiles> open_image_folder(const std::filesystem::path& folder,
                                              const std::vector<std::string>& classes,
                                              const ImageProcessor& processor,
                                              const std::vector<std::string>& labels);

}  // namespace regroup::models
