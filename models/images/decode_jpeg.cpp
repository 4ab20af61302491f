#include "models/images/decode_image.hpp"

// jpeglib.h uses FILE and size_t without declaring them.
#include <cstdio>

#include <jpeglib.h>
// After jpeglib.h, on which it depends.
#include <jerror.h>

#include <array>

#include "models/images/error_exit.hpp"

namespace regroup::models {
namespace {

constexpr int kCmyk = 4;

[[noreturn]] void on_error(j_common_ptr jpeg) {
  auto& exit = *static_cast<ErrorExit*>(jpeg->client_data);
  static_assert(sizeof(exit.message) >= JMSG_LENGTH_MAX);
  jpeg->err->format_message(jpeg, exit.message.data());
  std::longjmp(exit.back, 1);
}

/// A level below 0 is a warning. At the end of the file libjpeg would go on and fill up with grey:
/// an error, unless only the end marker is missing.
void on_message(j_common_ptr common, int level) {
  if (level >= 0 || common->err->msg_code != JWRN_JPEG_EOF) return;
  const auto* jpeg = reinterpret_cast<j_decompress_ptr>(common);
  const bool all_rows = jpeg->output_height > 0 && jpeg->output_scanline == jpeg->output_height;
  if (!all_rows) on_error(common);
}

/// a · b / 255, rounded as Pillow does.
int multiply_255(int a, int b) {
  const int product = a * b + 128;
  return ((product >> 8) + product) >> 8;
}

/// `ink`: [height, width, 4], inverted: 255 is no ink.
RgbImage rgb_of_cmyk(ImageSize size, const std::vector<std::uint8_t>& ink) {
  RgbImage image{size, std::vector<std::uint8_t>(size.pixels() * RgbImage::kChannels)};
  for (std::size_t i = 0; i < size.pixels(); ++i) {
    const int light = ink[i * kCmyk + 3];
    for (std::size_t c = 0; c < RgbImage::kChannels; ++c) {
      const int absorbed = multiply_255(255 - ink[i * kCmyk + c], light);
      image.pixels[i * RgbImage::kChannels + c] = static_cast<std::uint8_t>(light - absorbed);
    }
  }
  return image;
}

/// One file being decoded.
class JpegReader {
 public:
  JpegReader(std::span<const std::byte> file, const std::string& where)
      : file_(file), where_(where) {
    jpeg_.err = jpeg_std_error(&errors_);
    jpeg_.client_data = &exit_;
    errors_.error_exit = on_error;
    errors_.emit_message = on_message;
  }
  ~JpegReader() { jpeg_destroy_decompress(&jpeg_); }
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;

  RgbImage read() {
    read_header();
    const ImageSize size = checked_image_size(jpeg_.image_height, jpeg_.image_width, where_);
    const int channels =
        jpeg_.num_components == kCmyk ? kCmyk : static_cast<int>(RgbImage::kChannels);
    jpeg_.out_color_space = channels == kCmyk ? JCS_CMYK : JCS_RGB;
    std::vector<std::uint8_t> samples(size.pixels() * static_cast<std::size_t>(channels));
    read_rows(samples.data(),
              static_cast<std::size_t>(size.width) * static_cast<std::size_t>(channels));
    return channels == kCmyk ? rgb_of_cmyk(size, samples) : RgbImage{size, std::move(samples)};
  }

 private:
  void read_header() {
    run_guarded(exit_, where_, [this] {
      jpeg_create_decompress(&jpeg_);
      jpeg_mem_src(&jpeg_, reinterpret_cast<const unsigned char*>(file_.data()), file_.size());
      jpeg_read_header(&jpeg_, TRUE);
    });
  }

  /// `samples`: [height, row_bytes].
  void read_rows(std::uint8_t* samples, std::size_t row_bytes) {
    run_guarded(exit_, where_, [this, samples, row_bytes] {
      jpeg_start_decompress(&jpeg_);
      while (jpeg_.output_scanline < jpeg_.output_height) {
        JSAMPROW row = samples + jpeg_.output_scanline * row_bytes;
        jpeg_read_scanlines(&jpeg_, &row, 1);
      }
      jpeg_finish_decompress(&jpeg_);
    });
  }

  std::span<const std::byte> file_;
  const std::string& where_;
  ErrorExit exit_;
  jpeg_error_mgr errors_{};
  jpeg_decompress_struct jpeg_{};
};

}  // namespace

RgbImage decode_jpeg(std::span<const std::byte> file, const std::string& where) {
  return JpegReader(file, where).read();
}

}  // namespace regroup::models
