#include "models/images/image_files.hpp"

#include <fmt/format.h>

#include <span>
#include <system_error>
#include <utility>

#include "models/files/mapped_file.hpp"
#include "models/files/sha256.hpp"
#include "models/images/class_labels.hpp"
#include "models/images/listing.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

constexpr std::size_t kCifarClasses = 10;
constexpr ImageSize kSize{32, 32};
constexpr std::size_t kPlane = 32 * 32;
constexpr std::size_t kRecord = 1 + RgbImage::kChannels * kPlane;

using Record = std::span<const std::byte>;

std::size_t label_of(Record record) {
  return std::to_integer<std::size_t>(record[0]);
}

RgbImage image_of(Record record) {
  RgbImage image{kSize, {}};
  image.pixels.reserve(RgbImage::kChannels * kPlane);
  for (std::size_t i = 0; i < kPlane; ++i) {
    for (std::size_t channel = 0; channel < RgbImage::kChannels; ++channel) {
      image.pixels.push_back(std::to_integer<std::uint8_t>(record[1 + channel * kPlane + i]));
    }
  }
  return image;
}

/// One file, checked.
class Batch {
 public:
  explicit Batch(const std::filesystem::path& path) : file_(path) {
    if (file_.bytes().size() % kRecord != 0) {
      throw InputError({.what = "file does not hold whole images of CIFAR-10",
                        .where = path.string(),
                        .expected = fmt::format("a multiple of {} bytes", kRecord),
                        .found = fmt::format("{} bytes", file_.bytes().size())});
    }
    for (std::size_t i = 0; i < size(); ++i) require_label(i);
  }

  std::size_t size() const { return file_.bytes().size() / kRecord; }
  Record record(std::size_t i) const { return file_.bytes().subspan(i * kRecord, kRecord); }
  std::string where(std::size_t i) const {
    return fmt::format("{}, image {}", file_.path().string(), i);
  }

 private:
  void require_label(std::size_t i) const {
    if (label_of(record(i)) < kCifarClasses) return;
    throw InputError({.what = "label is none of CIFAR-10's",
                      .where = where(i),
                      .expected = fmt::format("0 to {}", kCifarClasses - 1),
                      .found = std::to_string(label_of(record(i)))});
  }

  MappedFile file_;
};

/// The lines of batches.meta.txt, one a class; ten names without meaning where there is no file.
std::vector<std::string> class_names(const std::filesystem::path& file) {
  std::error_code unknown;
  if (!std::filesystem::exists(file, unknown)) return std::vector<std::string>(kCifarClasses);
  const MappedFile mapped(file);
  std::vector<std::string> names(1);
  for (const std::byte byte : mapped.bytes()) {
    const char c = std::to_integer<char>(byte);
    if (c != '\n' && c != '\r') names.back() += c;
    if (c == '\n' && !names.back().empty()) names.emplace_back();
  }
  if (names.back().empty()) names.pop_back();
  if (names.size() == kCifarClasses) return names;
  throw InputError({.what = "file does not name the classes of CIFAR-10",
                    .where = file.string(),
                    .expected = fmt::format("{} lines", kCifarClasses),
                    .found = std::to_string(names.size())});
}

class CifarImages : public ImageFiles {
 public:
  CifarImages(const std::filesystem::path& data, const std::vector<std::string>& files,
              const ImageProcessor& processor)
      : ImageFiles(processor), data_(data), files_(files) {
    if (files_.empty()) add_batch(data_);
    for (const std::string& file : files_) add_batch(data_ / file);
  }

  void set_class_ids(std::vector<int> ids) { class_ids_ = std::move(ids); }

  std::size_t size() const override { return places_.size(); }
  int label(std::size_t i) const override { return class_ids_[label_of(record(i))]; }
  std::vector<float> pixels(std::size_t i) const override {
    const auto [batch, index] = places_[i];
    return processed(image_of(record(i)), batches_[batch].where(index));
  }
  std::string sha256() const override {
    return files_.empty() ? sha256_of_file(data_) : sha256_of_files(data_, files_);
  }

 private:
  struct Place {
    std::size_t batch;
    std::size_t index;
  };

  void add_batch(const std::filesystem::path& file) {
    batches_.emplace_back(file);
    for (std::size_t i = 0; i < batches_.back().size(); ++i) {
      places_.push_back({batches_.size() - 1, i});
    }
  }
  Record record(std::size_t i) const { return batches_[places_[i].batch].record(places_[i].index); }

  std::filesystem::path data_;
  std::vector<std::string> files_;
  std::vector<Batch> batches_;
  std::vector<Place> places_;
  std::vector<int> class_ids_;
};

}  // namespace

std::unique_ptr<ImageFiles> open_cifar(const std::filesystem::path& data,
                                       const std::vector<std::string>& files,
                                       const ImageProcessor& processor,
                                       const std::vector<std::string>& labels) {
  auto images = std::make_unique<CifarImages>(data, files, processor);
  const std::filesystem::path folder = files.empty() ? data.parent_path() : data;
  images->set_class_ids(class_ids(class_names(folder / "batches.meta.txt"), labels, data.string()));
  return images;
}

}  // namespace regroup::models
