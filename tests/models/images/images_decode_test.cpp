#include "models/images/decode_image.hpp"

#include <algorithm>

#include "search/base/error.hpp"
#include "tests/models/images/image_goldens.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/error_message.hpp"
#include "tests/support/shared_data.hpp"
#include "tests/support/temporary_directory.hpp"

namespace regroup::models {
namespace {

using tests::contains;
using tests::digest;
using tests::error_message;
using tests::image_golden;
using tests::read_file;
using tests::TemporaryDirectory;

RgbImage decode(std::string_view bytes) {
  return decode_image(std::as_bytes(std::span(bytes)), "picture");
}

std::string refusal(std::string_view bytes) {
  return error_message<InputError>([&] { decode(bytes); });
}

/// A number as PNG writes it: four bytes, the high one first.
std::string big_endian(std::uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift);
  return bytes;
}

/// A PNG file of 8-bit RGB that ends where its data would begin.
std::string png_header(std::uint32_t width, std::uint32_t height, std::uint32_t checksum) {
  return std::string("\x89PNG\r\n\x1a\n") + big_endian(13) + "IHDR" + big_endian(width) +
         big_endian(height) + std::string("\x08\x02\x00\x00\x00", 5) + big_endian(checksum) +
         big_endian(1) + "IDAT";
}

}  // namespace

TEST_CASE("images are decoded as Pillow decodes them") {
  const auto cases = tests::image_goldens("decoded");
  REQUIRE(cases.size() == 32);
  for (const auto& golden : cases) {
    const auto name = golden.at("file").get<std::string>();
    CAPTURE(name);
    const RgbImage image = read_image(image_golden(name));
    CHECK(image.size == ImageSize{golden.at("height"), golden.at("width")});
    CHECK(digest(image.pixels) == golden.at("sha256"));
  }
}

TEST_CASE("an image's kind is told by its first bytes, not by its name") {
  const TemporaryDirectory scratch;
  const auto image = scratch.write("really-a-png.jpg", read_file(image_golden("rgb8.png")));
  CHECK(read_image(image).pixels == read_image(image_golden("rgb8.png")).pixels);
}

TEST_CASE("what is no image is refused by its name") {
  const TemporaryDirectory scratch;
  const auto message = [&](std::string_view content) {
    const auto file = scratch.write("notes.JPEG", content);
    return error_message<InputError>([&] { read_image(file); });
  };
  for (const char* content : {"some text", "GIF89a", "\xff\xd8", "\x89PNG\r\n"}) {
    CHECK_THAT(message(content), contains("/notes.JPEG"));
    CHECK_THAT(message(content), contains("a JPEG or PNG file"));
  }
  CHECK_THAT(message(""), contains("an empty file"));
  CHECK_THAT(error_message<InputError>([&] { read_image(scratch.path() / "absent.png"); }),
             contains("absent.png"));
  CHECK_THAT(error_message<InputError>([&] { read_image(scratch.path()); }),
             contains("a directory"));
}

TEST_CASE("a file cut off anywhere is refused") {
  for (const char* name : {"grey.jpg", "colour420.jpg", "progressive.jpg", "cmyk.jpg", "grey4.png",
                           "rgb-interlaced.png", "palette8.png", "grey16.png"}) {
    const std::string whole = read_file(image_golden(name));
    REQUIRE(decode(whole).size == ImageSize{13, 21});
    int refused = 0;
    // The last two bytes of a JPEG file are its end marker, which rows that are all there do not
    // need.
    for (std::size_t length = 0; length + 2 < whole.size(); ++length) {
      CAPTURE(name, length);
      const std::string message = refusal(std::string_view(whole).substr(0, length));
      CHECK_THAT(message, contains("picture"));
      ++refused;
    }
    CHECK(refused > 100);
  }
}

TEST_CASE("a damaged checksum or header of a PNG file is refused") {
  const std::string whole = read_file(image_golden("rgb8.png"));
  for (const std::size_t at : {17, 24, 30, 60, 300}) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x55);
    CAPTURE(at);
    CHECK_THAT(refusal(damaged), contains("picture"));
    CHECK_THAT(refusal(damaged), contains("cannot be decoded"));
  }
}

TEST_CASE("kinds of JPEG that Pillow does not open are refused") {
  std::string jpeg = read_file(image_golden("grey.jpg"));
  const std::size_t frame = jpeg.find("\xff\xc0");
  REQUIRE(frame != std::string::npos);
  jpeg[frame + 4] = 12;  // bits
  CHECK_THAT(refusal(jpeg), contains("12"));
  jpeg[frame + 4] = 8;
  jpeg.replace(frame + 5, 2, std::string(2, '\0'));  // height
  CHECK_THAT(refusal(jpeg), contains("cannot be decoded"));
}

TEST_CASE("images of absurd sizes are refused before their pixels get memory") {
  CHECK_THAT(refusal(png_header(100'000, 100'000, 0x27309c9f)), contains("impossible size"));
  CHECK_THAT(refusal(png_header(100'000, 100'000, 0x27309c9f)), contains("100000 x 100000"));
  std::string jpeg = read_file(image_golden("colour420.jpg"));
  jpeg.replace(jpeg.find("\xff\xc0") + 5, 4, "\xfd\xe8\xfd\xe8");
  CHECK_THAT(refusal(jpeg), contains("65000 x 65000"));
}

TEST_CASE("all images of Tiny-ImageNet are decoded as Pillow decodes them") {
  REGROUP_NEEDS_SHARED_DATA("images/tiny-imagenet-val2k");
  std::vector<std::filesystem::path> files;
  const std::filesystem::recursive_directory_iterator folder(
      tests::shared_data("images/tiny-imagenet-val2k"));
  for (const auto& entry : folder) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  REQUIRE(files.size() == 2000);
  Sha256 every;
  for (const auto& file : files) {
    const RgbImage image = read_image(file);
    every.update(std::as_bytes(std::span(image.pixels)));
  }
  CHECK(every.hex_digest() == tests::image_goldens("shared").at("decoded_sha256"));
}

}  // namespace regroup::models
