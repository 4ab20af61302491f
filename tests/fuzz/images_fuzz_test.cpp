#include <random>
#include <string>

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
  int read = 0;
  for (int round = 0; round < 400; ++round) {
    CAPTURE(name, round);
    read += reads(mutated(original, random)) ? 1 : 0;
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
  for (const char* name : {"grey1.png", "grey16.png", "palette4.png", "palette-transparent.png",
                           "rgb-interlaced.png", "rgba16.png"}) {
    const int read = count_read(name, random);
    CAPTURE(name, read);
    CHECK(read < 380);
  }
}

}  // namespace regroup::models
