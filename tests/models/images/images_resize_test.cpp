#include "models/images/resample.hpp"

#include <numeric>

#include "models/images/decode_image.hpp"
#include "tests/models/images/image_goldens.hpp"
#include "tests/support/catch.hpp"

namespace regroup::models {
namespace {

RgbImage plain_image(ImageSize size, std::uint8_t value) {
  return {size, std::vector<std::uint8_t>(size.pixels() * 3, value)};
}

}  // namespace

TEST_CASE("images are resized as Pillow resizes them") {
  const auto cases = tests::image_goldens("resized");
  REQUIRE(cases.size() == 66);
  for (const auto& golden : cases) {
    const RgbImage image = read_image(tests::image_golden(golden.at("file").get<std::string>()));
    const ImageSize size{golden.at("height"), golden.at("width")};
    const int filter = golden.at("resample");
    CAPTURE(filter, size.height, size.width);
    const RgbImage resized = resize(image, size, static_cast<Resample>(filter));
    CHECK(resized.size == size);
    CHECK(tests::digest(resized.pixels) == golden.at("sha256"));
  }
}

TEST_CASE("an image of one colour keeps it in every size") {
  for (int filter = 0; filter < kResampleFilters; ++filter) {
    for (const ImageSize size : {ImageSize{1, 1}, ImageSize{3, 50}, ImageSize{200, 7}}) {
      for (const std::uint8_t value : std::vector<std::uint8_t>{0, 100, 255}) {
        CAPTURE(filter, size.height, size.width, int{value});
        const RgbImage image = resize(plain_image({40, 30}, value), size, Resample(filter));
        CHECK(image.pixels == plain_image(size, value).pixels);
      }
    }
  }
}

TEST_CASE("weights of a window sum up to one and stay inside the line") {
  constexpr double kOne = 1 << kWeightBits;
  for (int filter = 1; filter < kResampleFilters; ++filter) {
    for (const auto& [from, to] : {std::pair(64, 256), std::pair(500, 224), std::pair(7, 7)}) {
      CAPTURE(filter, from, to);
      const auto windows = resample_windows(from, to, Resample(filter));
      REQUIRE(windows.size() == static_cast<std::size_t>(to));
      for (const ResampleWindow& window : windows) {
        const auto& weights = window.weights;
        const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
        CHECK(sum == tests::Approx(kOne).epsilon(1e-5));
        CHECK(window.first >= 0);
        CHECK(window.first + static_cast<int>(weights.size()) <= from);
      }
    }
  }
}

TEST_CASE("halving with the box filter averages pairs") {
  // 10, 20 | 31, 40 in each channel.
  const RgbImage line{{1, 4}, {10, 10, 10, 20, 20, 20, 31, 31, 31, 40, 40, 40}};
  CHECK(resize(line, {1, 2}, Resample::kBox).pixels ==
        std::vector<std::uint8_t>{15, 15, 15, 36, 36, 36});
}

}  // namespace regroup::models
