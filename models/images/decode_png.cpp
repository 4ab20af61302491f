#include "models/images/decode_image.hpp"

#include <png.h>

#include <algorithm>
#include <cstring>

#include "models/images/error_exit.hpp"

namespace regroup::models {
namespace {

constexpr std::size_t kGrey16 = 2;  // bytes

[[noreturn]] void on_error(png_structp png, png_const_charp message) {
  auto& exit = *static_cast<ErrorExit*>(png_get_error_ptr(png));
  std::strncpy(exit.message.data(), message, exit.message.size() - 1);
  std::longjmp(exit.back, 1);
}

void on_warning(png_structp, png_const_charp) {}

/// Fills `target` from what is left of the file, a span.
void read_bytes(png_structp png, png_bytep target, std::size_t count) {
  auto& rest = *static_cast<std::span<const std::byte>*>(png_get_io_ptr(png));
  if (count > rest.size()) png_error(png, "file ends too early");
  std::memcpy(target, rest.data(), count);
  rest = rest.subspan(count);
}

/// `grey`: [height, width] of two bytes, the high one first.
RgbImage rgb_of_grey16(ImageSize size, const std::vector<std::uint8_t>& grey) {
  RgbImage image{size, {}};
  image.pixels.reserve(size.pixels() * RgbImage::kChannels);
  for (std::size_t i = 0; i < grey.size(); i += kGrey16) {
    const std::uint8_t value = grey[i] == 0 ? grey[i + 1] : 255;
    image.pixels.insert(image.pixels.end(), RgbImage::kChannels, value);
  }
  return image;
}

/// One file being decoded.
class PngReader {
 public:
  PngReader(std::span<const std::byte> file, const std::string& where)
      : rest_(file),
        where_(where),
        png_(png_create_read_struct(PNG_LIBPNG_VER_STRING, &exit_, on_error, on_warning)),
        info_(png_ == nullptr ? nullptr : png_create_info_struct(png_)) {}
  ~PngReader() { png_destroy_read_struct(&png_, &info_, nullptr); }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;

  RgbImage read() {
    if (info_ == nullptr) throw WorkError({.what = "libpng cannot be started", .where = where_});
    read_header();
    const ImageSize size = checked_image_size(png_get_image_height(png_, info_),
                                              png_get_image_width(png_, info_), where_);
    const bool grey16 = png_get_color_type(png_, info_) == PNG_COLOR_TYPE_GRAY &&
                        png_get_bit_depth(png_, info_) == 16;
    if (!grey16) ask_for_rgb();
    std::vector<std::uint8_t> samples(size.pixels() * (grey16 ? kGrey16 : RgbImage::kChannels));
    read_rows(samples, size);
    return grey16 ? rgb_of_grey16(size, samples) : RgbImage{size, std::move(samples)};
  }

 private:
  void read_header() {
    run_guarded(exit_, where_, [this] {
      png_set_read_fn(png_, &rest_, read_bytes);
      // -1: all but header, palette, transparency and pixels; text could be packed gigabytes.
      png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
      png_read_info(png_, info_);
    });
  }

  void ask_for_rgb() {
    run_guarded(exit_, where_, [this] {
      png_set_expand(png_);
      png_set_strip_16(png_);
      png_set_strip_alpha(png_);
      png_set_gray_to_rgb(png_);
    });
  }

  /// Interlaced files need all rows at once.
  void read_rows(std::vector<std::uint8_t>& samples, ImageSize size) {
    const std::size_t row_bytes = samples.size() / static_cast<std::size_t>(size.height);
    std::vector<png_bytep> rows;
    for (std::size_t at = 0; at < samples.size(); at += row_bytes) {
      rows.push_back(samples.data() + at);
    }
    run_guarded(exit_, where_, [this, row_bytes, first = rows.data()] {
      png_read_update_info(png_, info_);
      if (png_get_rowbytes(png_, info_) != row_bytes) png_error(png_, "rows of another length");
      png_read_image(png_, first);
      png_read_end(png_, nullptr);
    });
  }

  std::span<const std::byte> rest_;
  const std::string& where_;
  ErrorExit exit_;
  png_structp png_;
  png_infop info_;
};

}  // namespace

RgbImage decode_png(std::span<const std::byte> file, const std::string& where) {
  return PngReader(file, where).read();
}

}  // namespace regroup::models
