#include "models/images/image_files.hpp"

#include <algorithm>
#include <iterator>
#include <system_error>

#include "models/images/listing.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

bool is_bin(const std::filesystem::path& file) {
  return file.extension() == ".bin";
}

[[noreturn]] void refuse(const std::filesystem::path& data, const char* found) {
  throw InputError({.what = "no images in the data",
                    .where = data.string(),
                    .expected = "a folder of class folders with images, or .bin files of CIFAR-10",
                    .found = found});
}

}  // namespace

std::unique_ptr<ImageFiles> open_image_files(const std::filesystem::path& data,
                                             const ImageProcessor& processor,
                                             const std::vector<std::string>& labels) {
  std::unique_ptr<ImageFiles> images;
  std::error_code unknown;
  if (!std::filesystem::is_directory(data, unknown)) {
    if (!is_bin(data))
      refuse(data,
             std::filesystem::exists(data, unknown) ? "another kind of file" : "no such file");
    images = open_cifar(data, {}, processor, labels);
  } else {
    const Listing listing = list_folder(data);
    std::vector<std::string> bins;
    std::copy_if(listing.files.begin(), listing.files.end(), std::back_inserter(bins), is_bin);
    images = bins.empty() ? open_image_folder(data, listing.folders, processor, labels)
                          : open_cifar(data, bins, processor, labels);
  }
  if (images->size() == 0) refuse(data, "none");
  return images;
}

}  // namespace regroup::models
