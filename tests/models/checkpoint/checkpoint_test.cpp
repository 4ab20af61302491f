#include "models/checkpoint/checkpoint.hpp"

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "models/files/sha256.hpp"
#include "search/base/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/error_message.hpp"
#include "tests/support/safetensors_bytes.hpp"
#include "tests/support/shared_data.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/torch_archive.hpp"

namespace regroup::models {
namespace {

using tests::contains;
using tests::error_message;
using tests::safetensors_bytes;
using tests::small_safetensors;
using tests::TemporaryDirectory;
using tests::tensor_entry;
using Names = std::vector<std::string>;

constexpr const char* kIndex = "model.safetensors.index.json";

/// A file with one U8 tensor of one byte.
std::string one_byte(const std::string& name, const std::string& byte) {
  return safetensors_bytes("{" + tensor_entry(name, "U8", "[1]", "[0,1]") + "}", byte);
}

/// A directory with two shards, s1 holding "a" and s2 holding "b", and the index given.
class Sharded {
 public:
  explicit Sharded(const std::string& index) {
    directory_.write("config.json", R"({"model_type": "llama"})");
    directory_.write("s1.safetensors", one_byte("a", "A"));
    directory_.write("s2.safetensors", one_byte("b", "B"));
    directory_.write(kIndex, index);
  }
  const std::filesystem::path& path() const { return directory_.path(); }
  std::string refusal() const {
    return error_message<InputError>([this] { Checkpoint checkpoint(path()); });
  }

 private:
  TemporaryDirectory directory_;
};

std::string map_refusal(const std::string& weight_map) {
  return Sharded(R"({"weight_map": )" + weight_map + "}").refusal();
}

constexpr const char* kGoodMap = R"({"b": "s2.safetensors", "a": "s1.safetensors"})";

std::string directory_refusal(const std::filesystem::path& directory) {
  return error_message<InputError>([&] { Checkpoint checkpoint(directory); });
}

TEST_CASE("a checkpoint in one file") {
  const TemporaryDirectory directory;
  directory.write("my-model/config.json", R"({"model_type": "llama"})");
  const auto file = directory.write("my-model/model.safetensors", small_safetensors());
  const Checkpoint checkpoint(directory.path() / "my-model");
  CHECK(checkpoint.config()["model_type"] == "llama");
  CHECK_THAT(checkpoint.config_where(), contains("my-model/config.json"));
  CHECK(checkpoint.directory() == directory.path() / "my-model");
  CHECK(checkpoint.names() == Names{"x"});
  CHECK(to_floats(checkpoint.tensor("x")) == std::vector<float>{1, 2, 3, 4});
  CHECK(checkpoint.find("y") == nullptr);
  CHECK_THAT(error_message<InputError>([&] { checkpoint.tensor("y"); }), contains("tensor y"));
  CHECK(checkpoint.weight_files() == std::vector<std::filesystem::path>{file});
  CHECK(checkpoint.weights_sha256() == sha256_hex(sha256_of_file(file)));
  checkpoint.release(checkpoint.tensor("x"));
  CHECK(to_floats(checkpoint.tensor("x")) == std::vector<float>{1, 2, 3, 4});
}

TEST_CASE("a checkpoint's name is its directory's") {
  const TemporaryDirectory directory;
  directory.write("my-model/config.json", "{}");
  directory.write("my-model/model.safetensors", small_safetensors());
  const std::string path = (directory.path() / "my-model").string();
  for (const std::string& spelling : {path, path + "/", path + "//", path + "/.", path + "/./"}) {
    CHECK(Checkpoint(spelling).name() == "my-model");
  }
  const auto old_directory = std::filesystem::current_path();
  std::filesystem::current_path(path);
  const std::string here = Checkpoint(".").name();
  const std::string here_too = Checkpoint("./").name();
  const std::string beside = Checkpoint("../my-model").name();
  std::filesystem::current_path(old_directory);
  CHECK(here == "my-model");
  CHECK(here_too == "my-model");
  CHECK(beside == "my-model");
}

TEST_CASE("a checkpoint in shards") {
  const Sharded model(std::string(R"({"metadata": {"total_size": 2}, "weight_map": )") + kGoodMap +
                      "}");
  Checkpoint opened(model.path());
  const TensorView& a = opened.tensor("a");
  const Checkpoint checkpoint(std::move(opened));
  CHECK(&checkpoint.tensor("a") == &a);
  CHECK(a.bytes[0] == std::byte{'A'});
  CHECK(checkpoint.tensor("b").bytes[0] == std::byte{'B'});
  CHECK(checkpoint.names() == Names{"a", "b"});
  const auto& files = checkpoint.weight_files();
  REQUIRE(files.size() == 2);
  CHECK(files[0].filename() == "s1.safetensors");
  CHECK(files[1].filename() == "s2.safetensors");
  const std::string digests = sha256_of_file(files[0]) + sha256_of_file(files[1]);
  CHECK(checkpoint.weights_sha256() == sha256_hex(digests));
  CHECK(checkpoint.weights_sha256() == sha256_hex(digests));
}

TEST_CASE("the single file wins over an index") {
  const Sharded model(std::string(R"({"weight_map": )") + kGoodMap + "}");
  std::filesystem::copy_file(model.path() / "s2.safetensors", model.path() / "model.safetensors");
  CHECK(Checkpoint(model.path()).names() == Names{"b"});
}

TEST_CASE("tensors that the index does not list are ignored") {
  const Sharded model(R"({"weight_map": {"a": "s1.safetensors"}})");
  const Checkpoint checkpoint(model.path());
  CHECK(checkpoint.names() == Names{"a"});
  CHECK(checkpoint.weight_files().size() == 1);
}

/// A file of torch.save with one tensor of one byte.
std::string one_byte_pickle(const std::string& name, const std::string& byte) {
  using namespace tests::pickled;
  const std::string tensor_of_one = tensor(storage("ByteStorage", "0", 1), 0, {1}, {1});
  return tests::torch_archive(program(ordered_dict({{name, tensor_of_one}})), {{"0", byte}});
}

TEST_CASE("a checkpoint in pytorch_model.bin") {
  const TemporaryDirectory directory;
  directory.write("config.json", "{}");
  const auto file = directory.write("pytorch_model.bin", one_byte_pickle("a", "A"));
  const Checkpoint checkpoint(directory.path());
  CHECK(checkpoint.names() == Names{"a"});
  CHECK(checkpoint.tensor("a").bytes[0] == std::byte{'A'});
  CHECK(checkpoint.weight_files() == std::vector<std::filesystem::path>{file});
  CHECK(checkpoint.weights_sha256() == sha256_hex(sha256_of_file(file)));
  checkpoint.release(checkpoint.tensor("a"));
  CHECK(checkpoint.tensor("a").bytes[0] == std::byte{'A'});
}

TEST_CASE("a checkpoint in shards of torch.save") {
  const TemporaryDirectory directory;
  directory.write("config.json", "{}");
  directory.write("s1.bin", one_byte_pickle("a", "A"));
  directory.write("s2.bin", one_byte_pickle("b", "B"));
  directory.write("pytorch_model.bin.index.json",
                  R"({"weight_map": {"b": "s2.bin", "a": "s1.bin"}})");
  const Checkpoint checkpoint(directory.path());
  CHECK(checkpoint.names() == Names{"a", "b"});
  CHECK(checkpoint.tensor("b").bytes[0] == std::byte{'B'});
  const auto& files = checkpoint.weight_files();
  REQUIRE(files.size() == 2);
  CHECK(checkpoint.weights_sha256() ==
        sha256_hex(sha256_of_file(files[0]) + sha256_of_file(files[1])));
  std::filesystem::remove(directory.path() / "s2.bin");
  CHECK_THAT(directory_refusal(directory.path()),
             contains("pytorch_model.bin.index.json names it"));
}

TEST_CASE("safetensors files win over those of torch.save") {
  const Sharded model(std::string(R"({"weight_map": )") + kGoodMap + "}");
  std::ofstream(model.path() / "pytorch_model.bin") << "not looked at";
  CHECK(Checkpoint(model.path()).names() == Names{"a", "b"});
}

TEST_CASE("directories that are no checkpoint") {
  const TemporaryDirectory directory;
  CHECK_THAT(directory_refusal(directory.path() / "absent"), contains("no such model directory"));
  CHECK_THAT(directory_refusal(directory.write("file", "x")), contains("found: a file"));
  CHECK_THAT(directory_refusal(directory.path()), contains("no config.json"));
  directory.write("config.json", "[1]");
  CHECK_THAT(directory_refusal(directory.path()), contains("expected: an object"));
  directory.write("config.json", "{");
  CHECK_THAT(directory_refusal(directory.path()), contains("config.json, line 1"));
  directory.write("config.json", "{}");
  CHECK_THAT(directory_refusal(directory.path()), contains("no weights"));
  CHECK_THAT(directory_refusal(directory.path()), contains("pytorch_model.bin.index.json"));
  directory.write("tf_model.h5", "");
  CHECK_THAT(directory_refusal(directory.path()), contains("none of them, but tf_model.h5"));
  directory.write("pytorch_model.bin", "");
  CHECK_THAT(directory_refusal(directory.path()), contains("pytorch_model.bin"));
  CHECK_THAT(directory_refusal(directory.path()), contains("not a zip archive"));
  directory.write("model.safetensors", "");
  CHECK_THAT(directory_refusal(directory.path()), contains("too short"));
  std::filesystem::remove(directory.path() / "config.json");
  std::filesystem::create_directory(directory.path() / "config.json");
  CHECK_THAT(directory_refusal(directory.path()), contains("a directory"));
}

TEST_CASE("an index that names a tensor no shard has") {
  const std::string message = map_refusal(R"({"a": "s1.safetensors", "c": "s2.safetensors"})");
  CHECK_THAT(message, contains("weight index and shards disagree"));
  CHECK_THAT(message, contains("tensor c in s2.safetensors"));
  CHECK_THAT(message, contains("no shard has it"));
}

TEST_CASE("an index that names the wrong shard") {
  const std::string message = map_refusal(R"({"a": "s2.safetensors", "b": "s1.safetensors"})");
  CHECK_THAT(message, contains("tensor a in s2.safetensors"));
  CHECK_THAT(message, contains("it is in s1.safetensors"));
}

TEST_CASE("a shard that is missing") {
  const std::string message = map_refusal(R"({"a": "s1.safetensors", "b": "s3.safetensors"})");
  CHECK_THAT(message, contains("shard of the model is missing"));
  CHECK_THAT(message, contains("s3.safetensors"));
}

TEST_CASE("an index of the wrong form") {
  CHECK_THAT(map_refusal("[]"), contains("expected: an object"));
  CHECK_THAT(map_refusal("3"), contains("field \"weight_map\""));
  CHECK_THAT(map_refusal("{}"), contains("names no tensor"));
  CHECK_THAT(map_refusal(R"({"a": 1})"), contains("expected: a string"));
  CHECK_THAT(map_refusal(R"({"a": "s1.safetensors", "a": "s2.safetensors"})"),
             contains("\"a\" again"));
  CHECK_THAT(Sharded("{}").refusal(), contains("field is missing"));
  CHECK_THAT(Sharded("[]").refusal(), contains("expected: an object"));
  CHECK_THAT(Sharded("x").refusal(), contains(kIndex));
}

TEST_CASE("shards outside the directory are not opened") {
  for (const char* name : {"../s1.safetensors", "/etc/passwd", "sub/s1.safetensors", "..", ".", "",
                           "a\\\\b", "a\\u0000b"}) {
    const std::string message = map_refusal(std::string(R"({"a": ")") + name + "\"}");
    CHECK_THAT(message, contains("outside its directory"));
    CHECK_THAT(message, contains("field \"a\""));
  }
}

TEST_CASE("all checkpoints at hand open") {
  REGROUP_NEEDS_SHARED_DATA("checkpoints/books-llama");
  for (const char* name :
       {"books-llama", "demo-llama", "stories260k", "makemore-gpt", "vit-tiny-tinyimagenet"}) {
    const Checkpoint checkpoint(tests::shared_data(std::string("checkpoints/") + name));
    CHECK(checkpoint.name() == name);
    CHECK(checkpoint.config().contains("model_type"));
    CHECK(checkpoint.names().size() > 10);
  }
}

}  // namespace
}  // namespace regroup::models
