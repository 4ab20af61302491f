#include "models/checkpoint/safetensors.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "search/base/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/error_message.hpp"
#include "tests/support/safetensors_bytes.hpp"
#include "tests/support/shared_data.hpp"
#include "tests/support/temporary_directory.hpp"

namespace regroup::models {
namespace {

using tests::contains;
using tests::error_message;
using tests::little_endian64;
using tests::safetensors_bytes;
using tests::small_safetensors;
using tests::TemporaryDirectory;
using tests::tensor_entry;

std::string refusal_of_bytes(std::string_view bytes) {
  const TemporaryDirectory directory;
  const auto path = directory.write("weights.safetensors", bytes);
  std::string message = error_message<InputError>([&] { SafetensorsFile file(path); });
  CHECK_THAT(message, contains("weights.safetensors"));
  return message;
}

std::string refusal(std::string_view header, std::string_view data) {
  return refusal_of_bytes(safetensors_bytes(header, data));
}

/// The refusal of a file with one tensor, which the message must name.
std::string refusal_of_tensor(std::string_view dtype, std::string_view shape,
                              std::string_view offsets, std::string_view data) {
  std::string message = refusal("{" + tensor_entry("w.q", dtype, shape, offsets) + "}", data);
  CHECK_THAT(message, contains("tensor w.q"));
  return message;
}

TEST_CASE("a small file is read") {
  const TemporaryDirectory directory;
  const auto path = directory.write("a.safetensors", small_safetensors());
  const SafetensorsFile file(path);
  CHECK(file.names() == std::vector<std::string>{"x"});
  const TensorView& x = file.tensor("x");
  CHECK(x.dtype == DType::kBF16);
  CHECK(x.shape == std::vector<std::int64_t>{2, 2});
  CHECK(x.elements() == 4);
  CHECK(x.where() == path.string() + ", tensor x");
  CHECK(to_floats(x) == std::vector<float>{1, 2, 3, 4});
  file.release(x);
  CHECK(to_floats(x) == std::vector<float>{1, 2, 3, 4});
  CHECK(file.metadata().empty());
}

TEST_CASE("several tensors in any order, empty ones, scalars and metadata") {
  const std::string header = R"({"__metadata__":{"format":"pt","é":"ü"},)" +
                             tensor_entry("late", "U8", "[3]", "[4,7]") + "," +
                             tensor_entry("early", "F32", "[]", "[0,4]") + "," +
                             tensor_entry("empty", "I64", "[2,0]", "[4,4]") + "}   ";
  const TemporaryDirectory directory;
  const SafetensorsFile file(directory.write("a", safetensors_bytes(header, "0123abc")));
  CHECK(file.names() == std::vector<std::string>{"early", "empty", "late"});
  CHECK(file.tensor("early").elements() == 1);
  CHECK(file.tensor("empty").elements() == 0);
  CHECK(file.tensor("late").bytes[2] == std::byte{'c'});
  CHECK(file.metadata().at("format") == "pt");
  CHECK(file.metadata().at("é") == "ü");
  CHECK(file.find("other") == nullptr);
  CHECK(file.find("") == nullptr);
  CHECK_THAT(error_message<InputError>([&] { file.tensor("other"); }),
             contains("expected: tensor other"));
}

TEST_CASE("a file without tensors, and null metadata") {
  const TemporaryDirectory directory;
  CHECK(SafetensorsFile(directory.write("a", safetensors_bytes("{}", ""))).tensors().empty());
  const auto path = directory.write("b", safetensors_bytes(R"({"__metadata__":null})", ""));
  CHECK(SafetensorsFile(path).metadata().empty());
}

TEST_CASE("unaligned tensors convert") {
  const std::string header = "{" + tensor_entry("a", "U8", "[1]", "[0,1]") + "," +
                             tensor_entry("b", "F16", "[1]", "[1,3]") + "}";
  const TemporaryDirectory directory;
  const std::string data("\0\x00\x3c", 3);
  const SafetensorsFile file(directory.write("a", safetensors_bytes(header, data)));
  CHECK(to_floats(file.tensor("b")) == std::vector<float>{1});
  CHECK_THAT(error_message<InputError>([&] { to_floats(file.tensor("a")); }), contains("tensor a"));
}

TEST_CASE("views outlive a move of the file") {
  const TemporaryDirectory directory;
  SafetensorsFile first(directory.write("a", small_safetensors()));
  const TensorView& x = first.tensor("x");
  const SafetensorsFile second(std::move(first));
  CHECK(&second.tensor("x") == &x);
  CHECK(to_floats(x) == std::vector<float>{1, 2, 3, 4});
}

TEST_CASE("a tensor's shape and element type are checked by name") {
  const TemporaryDirectory directory;
  const SafetensorsFile file(directory.write("a", small_safetensors()));
  require_shape(file.tensor("x"), {2, 2});
  const std::string message = error_message<InputError>([&] {
    require_shape(file.tensor("x"), {4, 1});
  });
  CHECK_THAT(message, contains("tensor x"));
  CHECK_THAT(message, contains("expected: [4, 1]"));
  CHECK_THAT(message, contains("found: [2, 2]"));
}

TEST_CASE("files that are cut off or have a wrong header length") {
  CHECK_THAT(refusal_of_bytes(""), contains("too short"));
  CHECK_THAT(refusal_of_bytes("1234567"), contains("found: 7 bytes"));
  CHECK_THAT(refusal_of_bytes(little_endian64(3) + "{}"), contains("past the end of the file"));
  CHECK_THAT(refusal_of_bytes(little_endian64(100'000'001) + "{}"), contains("too long"));
  CHECK_THAT(refusal_of_bytes(little_endian64(~0ULL) + "{}"), contains("18446744073709551615"));
  CHECK_THAT(refusal_of_bytes("Entry not found"), contains("text: \"Entry not found\""));
  CHECK_THAT(refusal_of_bytes("PK\x03\x04 and more"), contains("a zip archive"));
  CHECK_THAT(refusal_of_bytes(little_endian64(0)), contains("begins with {"));
  const std::string whole = small_safetensors();
  for (std::size_t length = 0; length < whole.size(); ++length) {
    CHECK(refusal_of_bytes(whole.substr(0, length)) != "no error was thrown");
  }
  CHECK_THAT(refusal_of_bytes(whole.substr(0, whole.size() - 1)), contains("cut short"));
}

TEST_CASE("headers that are no JSON object") {
  CHECK_THAT(refusal("[]", ""), contains("begins with {"));
  CHECK_THAT(refusal(" {}", ""), contains("begins with {"));
  CHECK_THAT(refusal("{", ""), contains("not valid JSON"));
  CHECK_THAT(refusal("{}{}", ""), contains("line 1, column 3"));
  CHECK_THAT(refusal("{\"\xff\":1}", ""), contains("UTF-8"));
  CHECK_THAT(refusal(R"({"a":)" + std::string(200'000, '['), ""), contains("nested too deeply"));
}

TEST_CASE("names that stand twice") {
  const std::string entry = tensor_entry("x", "U8", "[1]", "[0,1]");
  CHECK_THAT(refusal("{" + entry + "," + entry + "}", "a"), contains("\"x\" again"));
  CHECK_THAT(refusal(R"({"__metadata__":{"a":"1","a":"2"}})", ""), contains("\"a\" again"));
}

TEST_CASE("metadata that is not text") {
  CHECK_THAT(refusal(R"({"__metadata__":{"a":1}})", ""), contains("metadata is not text"));
  CHECK_THAT(refusal(R"({"__metadata__":[]})", ""), contains("expected: an object"));
}

TEST_CASE("entries that are no tensors") {
  CHECK_THAT(refusal(R"({"x":1})", ""), contains("tensor x"));
  CHECK_THAT(refusal(R"({"x":{"shape":[],"data_offsets":[0,0]}})", ""), contains("\"dtype\""));
  CHECK_THAT(refusal(R"({"x":{"dtype":"U8","data_offsets":[0,0]}})", ""), contains("\"shape\""));
  CHECK_THAT(refusal(R"({"x":{"dtype":"U8","shape":[0]}})", ""), contains("\"data_offsets\""));
  CHECK_THAT(refusal(R"({"x":{"dtype":8,"shape":[0],"data_offsets":[0,0]}})", ""),
             contains("expected: a string"));
}

TEST_CASE("unknown element types") {
  CHECK_THAT(refusal_of_tensor("F33", "[1]", "[0,1]", "a"), contains("found: \"F33\""));
  CHECK_THAT(refusal_of_tensor("float32", "[1]", "[0,1]", "a"), contains("unknown element type"));
}

TEST_CASE("impossible shapes") {
  CHECK_THAT(refusal_of_tensor("U8", "[-1]", "[0,1]", "a"), contains("found: -1"));
  CHECK_THAT(refusal_of_tensor("U8", "[1.0]", "[0,1]", "a"), contains("found: 1.0"));
  CHECK_THAT(refusal_of_tensor("U8", "[1e300]", "[0,1]", "a"), contains("found: 1e+300"));
  CHECK_THAT(refusal_of_tensor("U8", "1", "[0,1]", "a"), contains("expected: an array"));
  CHECK_THAT(refusal_of_tensor("U8", "[4294967296,4294967296]", "[0,1]", "a"),
             contains("impossible size"));
  CHECK_THAT(refusal_of_tensor("U8", "[0,4294967296,4294967296]", "[0,0]", ""),
             contains("impossible size"));
  CHECK_THAT(refusal_of_tensor("F64", "[4611686018427387904]", "[0,1]", "a"),
             contains("impossible size"));
  CHECK_THAT(refusal_of_tensor("U8", "[18446744073709551615]", "[0,1]", "a"),
             contains("an integer from 0"));
  CHECK_THAT(refusal_of_tensor("F4", "[3]", "[0,1]", "a"), contains("[3] elements of F4"));
}

TEST_CASE("impossible places") {
  CHECK_THAT(refusal_of_tensor("U8", "[1]", "[1,0]", "a"), contains("begin <= end"));
  CHECK_THAT(refusal_of_tensor("U8", "[1]", "[0]", "a"), contains("found: [0]"));
  CHECK_THAT(refusal_of_tensor("U8", "[1]", "[0,1,2]", "a"), contains("found: [0, 1, 2]"));
  CHECK_THAT(refusal_of_tensor("U8", "[1]", "[-1,0]", "a"), contains("found: -1"));
  CHECK_THAT(refusal_of_tensor("U8", "[1]", "[0,0.5]", "a"), contains("found: 0.5"));
  CHECK_THAT(refusal_of_tensor("U8", "[2]", "[0,2]", "a"), contains("cut short"));
  CHECK_THAT(refusal_of_tensor("U8", "[1]", "[9223372036854775806,9223372036854775807]", "a"),
             contains("cut short"));
  CHECK_THAT(refusal_of_tensor("BF16", "[2,2]", "[0,6]", "abcdef"),
             contains("expected: 8 bytes for [2, 2] elements of BF16"));
}

TEST_CASE("tensors that overlap or leave bytes unused") {
  const auto two = [](std::string_view first, std::string_view second) {
    return "{" + tensor_entry("a", "U8", "[2]", first) + "," +
           tensor_entry("b", "U8", "[2]", second) + "}";
  };
  CHECK_THAT(refusal(two("[0,2]", "[1,3]"), "xyz"), contains("overlap"));
  CHECK_THAT(refusal(two("[0,2]", "[0,2]"), "xy"), contains("overlap"));
  CHECK_THAT(refusal(two("[0,2]", "[3,5]"), "vwxyz"), contains("tensor b"));
  CHECK_THAT(refusal(two("[0,2]", "[3,5]"), "vwxyz"), contains("belong to none"));
  CHECK_THAT(refusal(two("[1,3]", "[3,5]"), "vwxyz"), contains("expected: begin at 0"));
  CHECK_THAT(refusal(two("[0,2]", "[2,4]"), "vwxyz"), contains("goes on after its last tensor"));
  CHECK_THAT(refusal("{}", "x"), contains("goes on after its last tensor"));
}

TEST_CASE("names fit for a terminal") {
  const std::string message =
      refusal("{" + tensor_entry("a\\u001b[2J\\n", "U8", "[2]", "[0,1]") + "}", "x");
  CHECK_THAT(message, contains("tensor a?[2J?"));
}

TEST_CASE("all checkpoints and goldens at hand open") {
  REGROUP_NEEDS_SHARED_DATA("goldens");
  std::size_t files = 0;
  std::size_t integers = 0;
  for (const char* folder : {"goldens", "checkpoints"}) {
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(tests::shared_data(folder))) {
      if (entry.path().extension() != ".safetensors") continue;
      const SafetensorsFile file(entry.path());
      ++files;
      CHECK_FALSE(file.tensors().empty());
      for (const TensorView& tensor : file.tensors()) integers += tensor.dtype == DType::kI64;
    }
  }
  CHECK(files >= 30);
  CHECK(integers >= 10);
}

}  // namespace
}  // namespace regroup::models
