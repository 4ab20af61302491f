#include <cstdint>
#include <random>
#include <string>
#include <string_view>

#include "models/images/decode_image.hpp"
#include "search/base/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/temporary_directory.hpp"

// Broken image files: the reader gives an image or throws InputError. Meant to run under the
// address and undefined-behaviour sanitizers as well, which also see what is not given back.
namespace regroup::models {
namespace {

using Random = std::mt19937_64;

std::string golden(const std::string& name) {
  const auto folder = tests::source_folder() / "tests/models/images/image_goldens";
  return tests::read_file(folder / name);
}

/// Changes a few bytes, and now and then drops or doubles a part.
std::string mutated(std::string bytes, Random& random) {
  for (std::size_t n = 1 + random() % 4; n > 0; --n) {
    bytes[random() % bytes.size()] = static_cast<char>(random());
  }
  const std::size_t at = random() % bytes.size();
  const std::size_t length = 1 + random() % 20;
  if (random() % 8 == 0) bytes.erase(at, length);
  if (random() % 8 == 0) bytes.insert(at, bytes.substr(at, length));
  return bytes;
}

/// The check sum that ends a PNG chunk, by its definition (PNG specification, annex D).
std::uint32_t png_check_sum(std::string_view bytes) {
  std::uint32_t sum = 0xffffffffU;
  for (const char byte : bytes) {
    sum ^= static_cast<unsigned char>(byte);
    for (int bit = 0; bit < 8; ++bit) sum = (sum >> 1U) ^ ((sum & 1U) != 0 ? 0xedb88320U : 0U);
  }
  return ~sum;
}

std::uint32_t big_endian(std::string_view bytes) {
  std::uint32_t value = 0;
  for (const char byte : bytes.substr(0, 4)) value = value << 8U | static_cast<unsigned char>(byte);
  return value;
}

/// A PNG file whose chunks have the check sums of what they hold now, as far as their lengths lead:
/// without them next to no mutation would be looked at any closer.
std::string with_check_sums(std::string png) {
  std::size_t at = 8;  // after the signature
  while (at + 12 <= png.size()) {
    const std::size_t length = big_endian(std::string_view(png).substr(at));
    if (length > png.size() - at - 12) break;
    const std::uint32_t sum = png_check_sum(std::string_view(png).substr(at + 4, 4 + length));
    for (std::size_t i = 0; i < 4; ++i) {
      png[at + 8 + length + i] = static_cast<char>(sum >> (24U - 8U * i));
    }
    at += 12 + length;
  }
  return png;
}

/// True if the file was read.
bool reads(const std::string& bytes) {
  try {
    const RgbImage image = decode_image(std::as_bytes(std::span(bytes)), "mutated");
    CHECK(image.pixels.size() == image.size.pixels() * 3);
    return true;
  } catch (const InputError& error) {
    CHECK(error.parts().where == "mutated");
    return false;
  }
}

/// How many of 400 mutations of the file were read.
int count_read(const std::string& name, Random& random) {
  const std::string original = golden(name);
  REQUIRE(reads(original));
  int read = 0;
  for (int round = 0; round < 400; ++round) {
    CAPTURE(name, round);
    const std::string bytes = mutated(original, random);
    read += reads(name.ends_with(".png") ? with_check_sums(bytes) : bytes) ? 1 : 0;
  }
  return read;
}

}  // namespace

TEST_CASE("mutated JPEG files are read or refused") {
  Random random(1);
  for (const char* name : {"grey.jpg", "colour420.jpg", "progressive.jpg", "restarts.jpg",
                           "rgb.jpg", "cmyk.jpg", "turned.jpg"}) {
    const int read = count_read(name, random);
    CAPTURE(name, read);
    CHECK(read > 20);
    CHECK(read < 380);
  }
}

TEST_CASE("mutated PNG files are read or refused") {
  Random random(2);
  int all = 0;
  for (const char* name : {"grey1.png", "grey16.png", "palette4.png", "palette-transparent.png",
                           "rgb-interlaced.png", "rgba16.png"}) {
    const int read = count_read(name, random);
    CAPTURE(name, read);
    CHECK(read < 380);
    all += read;
  }
  // Most break the check sum of the compressed pixels, which their own does not know of.
  CHECK(all > 30);
}

}  // namespace regroup::models
