#include "models/gguf/gguf_writer.hpp"

#include <cmath>
#include <cstring>

#include "models/elements/ggml_type.hpp"
#include "search/base/error.hpp"
#include "search/base/random.hpp"
#include "tests/models/gguf/gguf_file.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/error_message.hpp"
#include "tests/support/file_size_limit.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace regroup;
using namespace regroup::models;
using namespace regroup::tests;

namespace {

GgufTensor counting(const std::string& name, std::vector<std::int64_t> shape) {
  return {name, GgmlType::kF32, std::move(shape), [](std::span<std::byte> out) {
            for (std::size_t i = 0; i * 4 < out.size(); ++i) {
              const auto value = static_cast<float>(i);
              std::memcpy(&out[4 * i], &value, 4);
            }
          }};
}

std::vector<std::byte> bytes_of(const std::vector<float>& values) {
  std::vector<std::byte> bytes(4 * values.size());
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

std::vector<std::byte> quantized(const std::vector<float>& values) {
  std::vector<std::byte> out(values.size() / 32 * 34);
  store_elements(DType::kF32, bytes_of(values), GgmlType::kQ8_0, out, "w");
  return out;
}

}  // namespace

TEST_CASE("a GGUF file holds its metadata and tensors, each at a multiple of 32 bytes") {
  const TemporaryDirectory scratch;
  const auto path = scratch.path() / "model.gguf";
  const GgufMetadata metadata = {{"text", std::string("naïve")},
                                 {"whole", std::uint32_t{7}},
                                 {"signed", std::int32_t{-7}},
                                 {"real", 0.5F},
                                 {"flag", true},
                                 {"bytes", std::vector<std::uint8_t>{0, 255}},
                                 {"integers", std::vector<std::int32_t>{-1, 2}},
                                 {"reals", std::vector<float>{0.25F}},
                                 {"texts", std::vector<std::string>{"a", "", "c d"}}};
  const std::vector<GgufTensor> tensors = {counting("three", {3}), counting("matrix", {2, 5}),
                                           counting("last", {1})};
  write_gguf_file(path, metadata, tensors);
  const GgufFile file(path);
  CHECK(file.keys == std::vector<std::string>{"text", "whole", "signed", "real", "flag", "bytes",
                                              "integers", "reals", "texts"});
  CHECK(file.metadata["text"] == "naïve");
  CHECK(file.metadata["whole"] == 7);
  CHECK(file.metadata["signed"] == -7);
  CHECK(file.metadata["real"] == 0.5);
  CHECK(file.metadata["flag"] == true);
  CHECK(file.metadata["bytes"] == nlohmann::json({0, 255}));
  CHECK(file.metadata["integers"] == nlohmann::json({-1, 2}));
  CHECK(file.metadata["reals"] == nlohmann::json::array({0.25}));
  CHECK(file.metadata["texts"] == nlohmann::json({"a", "", "c d"}));
  CHECK(file.tensors.at("matrix").sizes == std::vector<std::uint64_t>{5, 2});
  CHECK(file.values("three") == std::vector<double>{0, 1, 2});
  CHECK(file.values("matrix") == std::vector<double>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
  CHECK(file.values("last") == std::vector<double>{0});
  for (const auto& [name, tensor] : file.tensors) CHECK(tensor.offset % 32 == 0);
  CHECK(file.bytes.size() % 32 == 0);

  write_gguf_file(scratch.path() / "again.gguf", metadata, tensors);
  CHECK(read_file(scratch.path() / "again.gguf") == file.bytes);
}

TEST_CASE("names that stand twice and shapes that cannot be are refused before a file is there") {
  const TemporaryDirectory scratch;
  const auto refusal = [&](const GgufMetadata& metadata, const std::vector<GgufTensor>& tensors) {
    return error_message<WorkError>(
        [&] { write_gguf_file(scratch.path() / "x.gguf", metadata, tensors); });
  };
  const GgufEntry entry = {"key", true};
  CHECK_THAT(refusal({entry, entry}, {}), contains("key"));
  CHECK_THAT(refusal({}, {counting("w", {1}), counting("w", {1})}), contains("twice"));
  CHECK_THAT(refusal({}, {counting("w", {-1})}), contains("[-1]"));
  GgufTensor narrow = counting("w", {2, 33});
  narrow.type = GgmlType::kQ8_0;
  CHECK_THAT(refusal({}, {narrow}), contains("[2, 33]"));
  CHECK(scratch.entries().empty());
}

TEST_CASE("a full disk leaves no GGUF file behind") {
  const TemporaryDirectory scratch;
  const std::vector<GgufTensor> tensors = {counting("w", {1000, 1000})};
  {
    const FileSizeLimit limit(100'000);
    CHECK_THROWS_AS(write_gguf_file(scratch.path() / "x.gguf", {}, tensors), WorkError);
  }
  CHECK(scratch.entries().empty());
}

TEST_CASE("Q8_0 stores the nearest of 255 steps, block by block") {
  search::RandomStream random(search::RandomKey(3));
  std::vector<float> values(32 * 50);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double size = std::pow(10.0, static_cast<double>(i / 32 % 4) - 1);
    values[i] = static_cast<float>((2 * random.unit() - 1) * size);
  }
  for (std::size_t i = 0; i < 32; ++i) values[i] = 0;  // a block without a scale
  const std::vector<std::byte> stored = quantized(values);
  for (std::size_t block = 0; block < values.size() / 32; ++block) {
    float largest = 0;
    for (std::size_t i = 0; i < 32; ++i) {
      largest = std::max(largest, std::abs(values[32 * block + i]));
    }
    std::uint16_t half = 0;
    std::memcpy(&half, &stored[34 * block], 2);
    const double scale =
        std::ldexp(1 + (half & 1023) / 1024.0, (half >> 10) - 15);  // normal numbers only
    if (largest == 0) {
      CHECK(half == 0);
    } else {
      CHECK(scale == Approx(largest / 127).epsilon(1.0 / 2048));
    }
    for (std::size_t i = 0; i < 32; ++i) {
      const float value = values[32 * block + i];
      const auto step = static_cast<int>(static_cast<signed char>(stored[34 * block + 2 + i]));
      const double exact = largest == 0 ? 0 : 127.0 * value / largest;
      CHECK(std::abs(step - exact) <= 0.5001);
    }
  }
}

TEST_CASE("Q8_0 rounds halves away from zero and refuses what it cannot hold") {
  std::vector<float> values(32, 0.0F);
  values[0] = 127;
  values[1] = 0.5F;
  values[2] = -1.5F;
  const std::vector<std::byte> stored = quantized(values);
  CHECK(static_cast<int>(stored[2]) == 127);
  CHECK(static_cast<int>(stored[3]) == 1);
  CHECK(static_cast<signed char>(stored[4]) == -2);
  values[5] = std::numeric_limits<float>::infinity();
  CHECK_THAT(error_message<WorkError>([&] { quantized(values); }), contains("quantized"));
  values[5] = 1e8F;
  CHECK_THAT(error_message<WorkError>([&] { quantized(values); }), contains("too large"));
}
