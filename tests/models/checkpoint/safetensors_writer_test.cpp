#include "models/checkpoint/safetensors_writer.hpp"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "models/checkpoint/checkpoint.hpp"
#include "models/checkpoint/safetensors.hpp"
#include "models/elements/conversion.hpp"
#include "search/base/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/error_message.hpp"
#include "tests/support/file_size_limit.hpp"
#include "tests/support/safetensors_bytes.hpp"
#include "tests/support/shared_data.hpp"
#include "tests/support/temporary_directory.hpp"

namespace regroup::models {
namespace {

using tests::contains;
using tests::error_message;
using tests::FileSizeLimit;
using tests::read_file;
using tests::safetensors_bytes;
using tests::TemporaryDirectory;
using Names = std::vector<std::string>;

/// A tensor whose bytes are all `value`.
PlannedTensor filled(std::string name, DType dtype, std::vector<std::int64_t> shape, int value) {
  return {.name = std::move(name),
          .dtype = dtype,
          .shape = std::move(shape),
          .fill = [value](std::span<std::byte> out) {
            std::fill(out.begin(), out.end(), static_cast<std::byte>(value));
          }};
}

/// Five tensors of 100, 100, 300, 100 and 4 bytes.
std::vector<PlannedTensor> plan() {
  return {filled("a", DType::kU8, {100}, 1), filled("c", DType::kBF16, {5, 10}, 2),
          filled("b", DType::kU8, {3, 100}, 3), filled("e", DType::kF32, {25}, 4),
          filled("d", DType::kF32, {}, 5)};
}

TEST_CASE("the bytes of a file are those of the reference implementation") {
  // Written by safetensors 0.8.0 from the same tensors: widest type first, then by name; a header
  // of 8 n bytes.
  const std::string header =
      R"({"__metadata__":{"format":"pt"},"n":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},)"
      R"("y":{"dtype":"F32","shape":[],"data_offsets":[8,12]},)"
      R"("b":{"dtype":"U8","shape":[2],"data_offsets":[12,14]},)"
      R"("z":{"dtype":"U8","shape":[0,3],"data_offsets":[14,14]}})";
  const std::string padded = header + std::string((8 - header.size() % 8) % 8, ' ');
  const TemporaryDirectory directory;
  const auto path = directory.path() / "a.safetensors";
  write_safetensors_file(path, std::vector<PlannedTensor>{filled("z", DType::kU8, {0, 3}, 9),
                                                          filled("b", DType::kU8, {2}, 'b'),
                                                          filled("y", DType::kF32, {}, 'y'),
                                                          filled("n", DType::kI64, {1}, 'n')});
  CHECK(read_file(path) == safetensors_bytes(padded, "nnnnnnnnyyyybb"));
  CHECK(directory.entries() == Names{"a.safetensors"});
}

TEST_CASE("what is written is read") {
  const TemporaryDirectory directory;
  const std::vector<float> values = {1.5F, -2, 0, 3.25F};
  std::vector<std::byte> bytes(8);
  from_float(DType::kBF16, values, bytes);
  const std::vector<PlannedTensor> tensors = {
      planned_copy("é \"quoted\"\n", DType::kBF16, {2, 2}, bytes),
      filled("scalar", DType::kI64, {}, 0)};
  SafetensorsOptions options;
  options.metadata = {{"format", "pt"}, {"source", "a \"name\""}};
  write_safetensors_file(directory.path() / "a", tensors, options);
  const SafetensorsFile file(directory.path() / "a");
  CHECK(file.tensors().size() == 2);
  CHECK(to_floats(file.tensor("é \"quoted\"\n")) == values);
  CHECK(file.tensor("scalar").elements() == 1);
  CHECK(file.metadata() == options.metadata);
}

TEST_CASE("no metadata, no tensors") {
  const TemporaryDirectory directory;
  write_safetensors_file(directory.path() / "a", {}, {.metadata = {}});
  CHECK(read_file(directory.path() / "a") == safetensors_bytes("{}      ", ""));
}

TEST_CASE("a checkpoint that fits stands in one file") {
  const TemporaryDirectory directory;
  SafetensorsOptions options;
  options.max_shard_bytes = 604;
  CHECK(write_checkpoint_weights(directory.path(), plan(), options) == Names{"model.safetensors"});
  CHECK(directory.entries() == Names{"model.safetensors"});
  CHECK(SafetensorsFile(directory.path() / "model.safetensors").tensors().size() == 5);
}

TEST_CASE("a larger checkpoint is split, oversized tensors stand alone") {
  const TemporaryDirectory directory;
  directory.write("config.json", "{}");
  SafetensorsOptions options;
  options.max_shard_bytes = 200;
  const Names names = write_checkpoint_weights(directory.path(), plan(), options);
  CHECK(names == Names{"model-00001-of-00003.safetensors", "model-00002-of-00003.safetensors",
                       "model-00003-of-00003.safetensors", "model.safetensors.index.json"});
  const auto in_shard = [&](std::size_t i) {
    return SafetensorsFile(directory.path() / names[i]).names();
  };
  CHECK(in_shard(0) == Names{"a", "c"});
  CHECK(in_shard(1) == Names{"b"});
  CHECK(in_shard(2) == Names{"d", "e"});
  const auto index = nlohmann::json::parse(read_file(directory.path() / names[3]));
  CHECK(index["metadata"]["total_size"] == 604);
  CHECK(index["weight_map"].size() == 5);
  CHECK(index["weight_map"]["b"] == names[1]);

  const Checkpoint checkpoint(directory.path());
  CHECK(checkpoint.names() == Names{"a", "b", "c", "d", "e"});
  CHECK(checkpoint.tensor("e").bytes[99] == std::byte{4});
}

TEST_CASE("a tensor each where the limit is tiny") {
  const TemporaryDirectory directory;
  SafetensorsOptions options;
  options.max_shard_bytes = 1;
  CHECK(write_checkpoint_weights(directory.path(), plan(), options).size() == 6);
}

TEST_CASE("the same plan gives the same bytes") {
  SafetensorsOptions options;
  options.max_shard_bytes = 200;
  options.metadata = {{"b", "2"}, {"a", "1"}};
  const TemporaryDirectory first;
  const TemporaryDirectory second;
  const Names names = write_checkpoint_weights(first.path(), plan(), options);
  write_checkpoint_weights(second.path(), plan(), options);
  for (const std::string& name : names) {
    CHECK(read_file(first.path() / name) == read_file(second.path() / name));
  }
}

TEST_CASE("plans that cannot be written are refused before anything is") {
  const TemporaryDirectory directory;
  const auto refusal = [&](std::vector<PlannedTensor> tensors, SafetensorsOptions options = {}) {
    return error_message<WorkError>(
        [&] { write_checkpoint_weights(directory.path(), tensors, options); });
  };
  CHECK_THAT(refusal({filled("a", DType::kU8, {1}, 0), filled("a", DType::kU8, {1}, 0)}),
             contains("stands twice"));
  CHECK_THAT(refusal({filled("__metadata__", DType::kU8, {1}, 0)}), contains("reserved"));
  CHECK_THAT(refusal({filled("a", DType::kU8, {-1}, 0)}), contains("[-1]"));
  CHECK_THAT(refusal({filled("\xff", DType::kU8, {1}, 0)}), contains("not UTF-8"));
  CHECK_THAT(refusal({filled("a", DType::kU8, {1}, 0)}, {.metadata = {{"k", "\xff"}}}),
             contains("not UTF-8"));
  const std::vector<std::byte> three(3);
  CHECK_THAT(refusal({planned_copy("a", DType::kU8, {4}, three)}), contains("found: 3 bytes"));
  CHECK(directory.entries().empty());
}

TEST_CASE("a producer that fails leaves no file") {
  const TemporaryDirectory directory;
  auto tensors = plan();
  tensors.push_back(
      {.name = "f", .dtype = DType::kU8, .shape = {150}, .fill = [](std::span<std::byte>) {
         throw std::runtime_error("stop");
       }});
  SafetensorsOptions options;
  options.max_shard_bytes = 200;
  CHECK_THROWS_AS(write_checkpoint_weights(directory.path(), tensors, options), std::runtime_error);
  CHECK(directory.entries().empty());
}

TEST_CASE("a disk that fills up leaves no file") {
  const TemporaryDirectory directory;
  SafetensorsOptions options;
  options.max_shard_bytes = 200;
  const auto message = [](rlim_t limit_bytes, const auto& write) {
    const FileSizeLimit limit(limit_bytes);
    return error_message<WorkError>(write);
  };
  // 400 bytes are enough for the first shard, not for the second.
  const std::string shards =
      message(400, [&] { write_checkpoint_weights(directory.path(), plan(), options); });
  CHECK_THAT(shards, contains("model-00002-of-00003.safetensors"));
  CHECK(directory.entries().empty());
  const std::string single =
      message(40, [&] { write_safetensors_file(directory.path() / "a", plan(), options); });
  CHECK_THAT(single, contains("File too large"));
  CHECK(directory.entries().empty());
}

TEST_CASE("a rename that fails takes the renamed shards back") {
  const TemporaryDirectory directory;
  const std::string obstacle = "model-00002-of-00003.safetensors";
  std::filesystem::create_directory(directory.path() / obstacle);
  SafetensorsOptions options;
  options.max_shard_bytes = 200;
  CHECK_THAT(error_message<WorkError>(
                 [&] { write_checkpoint_weights(directory.path(), plan(), options); }),
             contains(obstacle));
  CHECK(directory.entries() == Names{obstacle});
}

TEST_CASE("temporary files stand where the options say") {
  const TemporaryDirectory directory;
  std::filesystem::create_directory(directory.path() / "state");
  Names seen;
  const std::vector<PlannedTensor> tensors = {
      {.name = "a", .dtype = DType::kU8, .shape = {1}, .fill = [&](std::span<std::byte>) {
         seen = directory.entries();
         CHECK(std::filesystem::exists(directory.path() / "state" / "model.safetensors.partial"));
       }}};
  SafetensorsOptions options;
  options.temporary_directory = directory.path() / "state";
  write_checkpoint_weights(directory.path(), tensors, options);
  CHECK(seen == Names{"state"});
  CHECK(directory.entries() == Names{"model.safetensors", "state"});
}

TEST_CASE("a copied checkpoint has the original's bytes") {
  REGROUP_NEEDS_SHARED_DATA("goldens/llama-mha");
  const auto source = tests::shared_data("goldens/llama-mha/model.safetensors");
  const SafetensorsFile original(source);
  std::vector<PlannedTensor> tensors;
  for (const TensorView& tensor : original.tensors()) {
    tensors.push_back(planned_copy(tensor.name, tensor.dtype, tensor.shape, tensor.bytes));
  }
  SafetensorsOptions options;
  options.metadata = original.metadata();
  const TemporaryDirectory directory;
  write_checkpoint_weights(directory.path(), tensors, options);
  CHECK((read_file(directory.path() / "model.safetensors") == read_file(source)));
}

}  // namespace
}  // namespace regroup::models
