#include "models/images/image_files.hpp"

#include <fmt/format.h>

#include <utility>

#include "models/images/class_labels.hpp"
#include "models/images/decode_image.hpp"
#include "models/images/listing.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

class ImageFolder : public ImageFiles {
 public:
  ImageFolder(std::filesystem::path folder, const ImageProcessor& processor)
      : ImageFiles(processor), folder_(std::move(folder)) {}

  void add_class(const std::string& name, int id) {
    const Listing listing = list_folder(folder_ / name);
    if (!listing.folders.empty()) {
      throw InputError({.what = "folder inside the folder of a class",
                        .where = (folder_ / name / listing.folders.front()).string(),
                        .expected = "image files only",
                        .found = "a folder"});
    }
    for (const std::string& file : listing.files) {
      names_.push_back(fmt::format("{}/{}", name, file));
      labels_.push_back(id);
    }
  }

  std::size_t size() const override { return names_.size(); }
  int label(std::size_t i) const override { return labels_[i]; }
  std::vector<float> pixels(std::size_t i) const override {
    const std::filesystem::path file = folder_ / names_[i];
    return processed(read_image(file), file.string());
  }
  std::string sha256() const override { return sha256_of_files(folder_, names_); }

 private:
  std::filesystem::path folder_;
  std::vector<std::string> names_;  // "class/file"
  std::vector<int> labels_;
};

}  // namespace

std::unique_ptr<ImageFiles> open_image_folder(const std::filesystem::path& folder,
                                              const std::vector<std::string>& classes,
                                              const ImageProcessor& processor,
                                              const std::vector<std::string>& labels) {
  auto images = std::make_unique<ImageFolder>(folder, processor);
  if (classes.empty()) return images;
  const std::vector<int> ids = class_ids(classes, labels, folder.string());
  for (std::size_t i = 0; i < classes.size(); ++i) images->add_class(classes[i], ids[i]);
  return images;
}

}  // namespace regroup::models
