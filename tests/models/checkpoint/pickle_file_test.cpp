#include "models/checkpoint/pickle_file.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "search/base/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/error_message.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/support/torch_archive.hpp"

namespace regroup::models {
namespace {

using namespace tests::pickled;
using tests::contains;
using tests::error_message;
using tests::Records;
using tests::TemporaryDirectory;
using tests::torch_archive;
using Floats = std::vector<float>;
using Names = std::vector<std::string>;

/// Two floats, 1 and 2.
const std::string kOneAndTwo("\x00\x00\x80\x3f\x00\x00\x00\x40", 8);

/// A file that torch.save wrote; fixtures/torch_save/make.py says how.
std::filesystem::path saved(const std::string& name) {
  return tests::source_folder() / "tests/fixtures/torch_save" / name;
}

/// The message with which a file of these bytes is refused; it names the file.
std::string refusal_of_file(const std::string& bytes) {
  const TemporaryDirectory directory;
  const auto path = directory.write("weights.bin", bytes);
  std::string message = error_message<InputError>([&] { PickleFile file(path); });
  CHECK_THAT(message, contains("weights.bin"));
  return message;
}

/// The same for a file with that pickle and record 0, two floats.
std::string pickle_refusal(const std::string& body) {
  return refusal_of_file(torch_archive(program(body), {{"0", kOneAndTwo}}));
}

std::string floats(std::int64_t elements) {
  return storage("FloatStorage", "0", elements);
}

/// A state dict with one tensor "a" of two floats.
std::string small_dict() {
  return dict({{"a", tensor(floats(2), 0, {2}, {1})}});
}

TEST_CASE("the state dict of a module, as torch.save writes it") {
  const PickleFile file(saved("ordered_dict.bin"));
  CHECK(file.names() == Names{"mask", "tied", "weight"});
  const TensorView& weight = file.tensor("weight");
  CHECK(weight.dtype == DType::kF32);
  CHECK(weight.shape == std::vector<std::int64_t>{2, 3});
  CHECK(weight.file == saved("ordered_dict.bin"));
  CHECK(to_floats(weight) == Floats{0, 1, 2, 3, 4, 5});
  CHECK(file.tensor("tied").bytes.data() == weight.bytes.data());
  CHECK(file.tensor("mask").dtype == DType::kBool);
  CHECK(file.tensor("mask").bytes[0] == std::byte{1});
  CHECK(file.find("bias") == nullptr);
  file.release(weight);
  CHECK(to_floats(weight) == Floats{0, 1, 2, 3, 4, 5});
}

TEST_CASE("a dictionary of Parameters, as torch.save writes it") {
  const PickleFile file(saved("parameters.bin"));
  CHECK(file.names() == Names{"weight"});
  CHECK(to_floats(file.tensor("weight")) == Floats{0, 1, 2, 3, 4, 5});
}

TEST_CASE("tensors that share memory or are not in row-major order") {
  PickleFile opened(saved("views.bin"));
  const TensorView& column = opened.tensor("column");
  const PickleFile file(std::move(opened));
  CHECK(&file.tensor("column") == &column);
  CHECK(to_floats(column) == Floats{1, 4, 7, 10});
  CHECK(to_floats(file.tensor("transposed")) == Floats{0, 1, 2, 3, 4, 5});
  CHECK(to_floats(file.tensor("top")) == Floats{0, 1, 2, 3, 4, 5});
  CHECK(to_floats(file.tensor("bottom")) == Floats{6, 7, 8, 9, 10, 11});
  CHECK(to_floats(file.tensor("expanded")) == Floats{7, 7, 7, 7});
  CHECK(to_floats(file.tensor("one")) == Floats{5});
  CHECK(file.tensor("one").shape.empty());
  CHECK(file.tensor("empty").shape == std::vector<std::int64_t>{0, 3});
  CHECK(file.tensor("empty").bytes.empty());
  file.release(column);
  CHECK(to_floats(column) == Floats{1, 4, 7, 10});
}

TEST_CASE("element types of torch.save") {
  const PickleFile file(saved("types.bin"));
  CHECK(file.tensors().size() == 15);
  for (const TensorView& tensor : file.tensors()) {
    CAPTURE(tensor.name);
    CHECK(config_name(tensor.dtype) == tensor.name);
    CHECK(tensor.bytes.size() == 3 * byte_width(tensor.dtype));
    if (is_weight_dtype(tensor.dtype)) CHECK(to_floats(tensor) == Floats{0, 1, 2});
  }
  CHECK(file.tensor("int64").bytes[8] == std::byte{1});
  CHECK(file.tensor("uint16").bytes[4] == std::byte{2});
}

TEST_CASE("files of torch.save that hold no state dict or an old one") {
  const auto refused = [](const std::string& name) {
    return error_message<InputError>([&] { PickleFile file(saved(name)); });
  };
  CHECK_THAT(refused("old_format.bin"), contains("before PyTorch 1.6"));
  CHECK_THAT(refused("old_format.bin"), contains("old_format.bin"));
  CHECK_THAT(refused("module.bin"), contains("__main__.Module"));
}

TEST_CASE("weights of another kind under a name of torch.save are called what they are") {
  using namespace std::string_literals;
  // torch.save(…, pickle_protocol=4, _use_new_zipfile_serialization=False).
  CHECK_THAT(refusal_of_file("\x80\x04\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."),
             contains("before PyTorch 1.6"));
  CHECK_THAT(refusal_of_file("sys_info"s + std::string(249, '\0') + "ustar"),
             contains("before PyTorch 1.6"));
  CHECK_THAT(refusal_of_file("\x80\x04}q"), contains("a pickle alone"));
  CHECK_THAT(refusal_of_file("\x02\0\0\0\0\0\0\0{}"s), contains("a safetensors file"));
  CHECK_THAT(refusal_of_file("GGUF\x03"), contains("a GGUF file"));
  CHECK_THAT(refusal_of_file("Entry not found"), contains("\"Entry no\""));
}

TEST_CASE("a pickle may name what state dicts need and nothing else") {
  const auto message = [](const std::string& module, const std::string& name) {
    const TemporaryDirectory directory;
    // It lies on the stack below the state dict: only whether the name is allowed matters.
    const auto path = directory.write(
        "a.bin", torch_archive(program(global(module, name) + small_dict()), {{"0", kOneAndTwo}}));
    return error_message<InputError>([&] { PickleFile file(path); });
  };
  const std::vector<std::pair<const char*, const char*>> allowed = {
      {"collections", "OrderedDict"},
      {"torch._utils", "_rebuild_tensor_v2"},
      {"torch._utils", "_rebuild_parameter"},
      {"torch", "FloatStorage"},
      {"torch", "bfloat16"},
      {"torch.storage", "UntypedStorage"}};
  for (const auto& [module, name] : allowed) {
    CAPTURE(module, name);
    CHECK(message(module, name) == "no error was thrown");
    // The same name elsewhere, and another name there.
    for (const char* other : {"os", "builtins", "", "torch.os", "torch._utils.torch"}) {
      CHECK_THAT(message(other, name), contains(std::string(other) + "." + name));
    }
    for (const char* other : {"system", "load", "eval", "", "__class__"}) {
      CHECK_THAT(message(module, other), contains(std::string(module) + "." + other));
    }
  }
  for (const char* module : {"os", "posix", "torch.os", "builtins"}) {
    const std::string attack = call(global(module, "system"), {text("touch attacked")});
    CHECK_THAT(pickle_refusal(dict({{"a", attack}})), contains(std::string(module) + ".system"));
  }
}

TEST_CASE("what is no dictionary of tensors is refused") {
  CHECK_THAT(pickle_refusal(number(1)), contains("found: an integer"));
  CHECK_THAT(pickle_refusal("]"), contains("found: a list"));
  CHECK_THAT(pickle_refusal(dict({{"state_dict", small_dict()}})), contains("tensor state_dict"));
  CHECK_THAT(pickle_refusal(dict({{"state_dict", small_dict()}})), contains("found: a dictionary"));
  CHECK_THAT(pickle_refusal(dict({{"epoch", number(3)}})), contains("found: an integer"));
  CHECK_THAT(pickle_refusal(dict({{"none", "N"}})), contains("found: None"));
  CHECK_THAT(pickle_refusal("}" + number(1) + number(2) + "s"), contains("no text"));
  const std::string entry = text("a") + tensor(floats(2), 0, {2}, {1});
  CHECK_THAT(pickle_refusal("}" + entry + "s" + entry + "s"), contains("stands twice"));
}

TEST_CASE("tensors that reach outside their memory are refused") {
  const auto refused = [](std::int64_t offset, const std::vector<std::int64_t>& shape,
                          const std::vector<std::int64_t>& strides) {
    return pickle_refusal(dict({{"a", tensor(floats(2), offset, shape, strides)}}));
  };
  constexpr std::int64_t kHuge = 1LL << 62;
  CHECK_THAT(refused(0, {3}, {1}), contains("tensor a"));
  CHECK_THAT(refused(0, {3}, {1}), contains("outside its memory"));
  CHECK_THAT(refused(1, {2}, {1}), contains("from element 1"));
  CHECK_THAT(refused(-1, {2}, {1}), contains("outside its memory"));
  CHECK_THAT(refused(3, {0}, {1}), contains("outside its memory"));
  CHECK_THAT(refused(0, {2}, {-1}), contains("outside its memory"));
  CHECK_THAT(refused(0, {2}, {kHuge}), contains("outside its memory"));
  CHECK_THAT(refused(kHuge, {2}, {1}), contains("outside its memory"));
  CHECK_THAT(refused(0, {kHuge, kHuge}, {0, 0}), contains("impossible size"));
  CHECK_THAT(refused(0, {-1}, {1}), contains("impossible size"));
  CHECK_THAT(refused(0, {1 << 30}, {0}), contains("larger than their file"));
}

TEST_CASE("records that are not as long as the pickle says are refused") {
  const auto of = [](const std::string& storage) {
    return pickle_refusal(dict({{"a", tensor(storage, 0, {1}, {1})}}));
  };
  CHECK_THAT(of(floats(3)), contains("record data/0 of 3 elements of 4 bytes"));
  CHECK_THAT(of(floats(1)), contains("found: 8 bytes"));
  CHECK_THAT(of(floats(-1)), contains("of -1 elements"));
  CHECK_THAT(of(storage("DoubleStorage", "0", 2)), contains("of 8 bytes"));
  CHECK_THAT(of(storage("FloatStorage", "1", 2)), contains("no such record"));
  CHECK_THAT(of(storage("FloatStorage", "../data.pkl", 2)), contains("no such record"));
  CHECK_THAT(of(storage("QInt8Storage", "0", 8)), contains("torch.QInt8Storage"));
}

TEST_CASE("tensors described in an unknown way are refused") {
  const std::string v2 = global("torch._utils", "_rebuild_tensor_v2");
  const std::string v3 = global("torch._utils", "_rebuild_tensor_v3");
  const std::string two = numbers({2});
  const std::string one = numbers({1});
  const std::string zero = number(0);
  const auto of = [](const std::string& tensor) { return pickle_refusal(dict({{"a", tensor}})); };
  CHECK_THAT(of(call(v2, {floats(2), zero, two, one})), contains("6 arguments"));
  CHECK_THAT(of(call(v2, {floats(2), zero, two, one, "N", "N", "}"})), contains("found: 7"));
  CHECK_THAT(of(call(v2, {number(0), zero, two, one, "N", "N"})), contains("expected: a storage"));
  CHECK_THAT(of(call(v2, {floats(2), zero, two, numbers({}), "N", "N"})), contains("1 strides"));
  CHECK_THAT(of(call(v2, {floats(2), zero, text("2"), one, "N", "N"})), contains("a tuple"));
  CHECK_THAT(of(call(v3, {floats(2), zero, two, one, "N", "N", global("torch", "float32")})),
             contains("found: two"));
  CHECK_THAT(
      of(tensor(floats(2), 0, std::vector<std::int64_t>(17, 1), std::vector<std::int64_t>(17, 1))),
      contains("too many dimensions"));
  CHECK_THAT(of(call(global("torch._utils", "_rebuild_parameter"), {number(1)})),
             contains("expected: a tensor"));
  CHECK_THAT(of(call(global("torch._utils", "_rebuild_parameter"), {})), contains("no arguments"));
  CHECK_THAT(of(call(number(1), {})), contains("expected: a function"));
}

TEST_CASE("broken pickles are refused") {
  CHECK_THAT(pickle_refusal(""), contains("a value for the instruction"));
  CHECK_THAT(pickle_refusal("i"), contains("instruction 0x69"));
  CHECK_THAT(pickle_refusal("h\x07"), contains("number 7"));
  CHECK_THAT(pickle_refusal("t"), contains("a mark"));
  CHECK_THAT(pickle_refusal("}(" + text("a") + "u"), contains("a key without one"));
  CHECK_THAT(pickle_refusal("N(s"), contains("a value for the instruction"));
  // What lies below a mark is not the instruction's, though there is enough of it.
  CHECK_THAT(pickle_refusal("}NN(s"), contains("a value for the instruction"));
  CHECK_THAT(pickle_refusal("N" + text("a") + "Ns"), contains("expected: a dictionary"));
  CHECK_THAT(pickle_refusal("}Na"), contains("expected: a list"));
  CHECK_THAT(pickle_refusal("]Nb"), contains("expected: a dictionary"));
  CHECK_THAT(pickle_refusal("\x8a\x09"), contains("too large"));
  CHECK_THAT(pickle_refusal("cos"), contains("the end of a name"));
  CHECK_THAT(pickle_refusal("X\xff\xff\xff\xff"), contains("4294967295 bytes more"));
  // More than what is left, less than the whole pickle.
  CHECK_THAT(pickle_refusal(std::string("X\x05\0\0\0ab", 7)), contains("5 bytes more"));
  CHECK_THAT(pickle_refusal(text("storage") + "\x85Q"), contains("no storage"));
  CHECK_THAT(pickle_refusal("NQ"), contains("byte 3"));
  CHECK_THAT(refusal_of_file(torch_archive("\x80\x04.", {})), contains("protocol 4"));
  CHECK_THAT(refusal_of_file(torch_archive("}.", {})), contains("not a pickle"));
  CHECK_THAT(refusal_of_file(torch_archive("", {})), contains("cut short"));
}

TEST_CASE("a pickle that is cut short anywhere is refused") {
  const std::string pickle = program(small_dict());
  for (std::size_t length = 0; length < pickle.size(); ++length) {
    CAPTURE(length);
    const std::string file = torch_archive(pickle.substr(0, length), {{"0", kOneAndTwo}});
    CHECK_THAT(refusal_of_file(file), !contains("no error"));
  }
}

TEST_CASE("values nested very deeply are refused and not descended into") {
  CHECK_THAT(pickle_refusal(")" + std::string(3'000'000, '\x85')), contains("found: a tuple"));
  CHECK_THAT(pickle_refusal(")" + std::string(17U << 20U, '\x85')), contains("too long"));
}

TEST_CASE("archives that are none of torch.save") {
  using tests::zip_bytes;
  const std::string pickle = program(small_dict());
  CHECK_THAT(refusal_of_file(zip_bytes({{"a", "b"}})), contains("a record data.pkl"));
  CHECK_THAT(refusal_of_file(zip_bytes({{"data.pkl", pickle}})), contains("a record data.pkl"));
  CHECK_THAT(refusal_of_file("{}"), contains("not a zip archive"));
  CHECK_THAT(refusal_of_file(zip_bytes(
                 {{"m/data.pkl", pickle}, {"m/byteorder", "big"}, {"m/data/0", kOneAndTwo}})),
             contains("found: big"));
}

TEST_CASE("records are those of the pickle's own folder") {
  const TemporaryDirectory directory;
  const PickleFile file(
      directory.write("a.bin", tests::zip_bytes({{"b/data/0", "12345678"},
                                                 {"a/data/0", kOneAndTwo},
                                                 {"a/byteorder", "little"},
                                                 {"a/data.pkl", program(small_dict())}})));
  CHECK(to_floats(file.tensor("a")) == Floats{1, 2});
}

TEST_CASE("a storage of more elements than 32 bits count") {
  // torch.save writes such a number as an integer of five bytes.
  const std::string elements("\x8a\x05\x00\x00\x00\x00\x01", 7);
  const std::string large =
      tuple({text("storage"), global("torch", "FloatStorage"), text("0"), text("cpu"), elements}) +
      "Q";
  CHECK_THAT(pickle_refusal(dict({{"a", tensor(large, 0, {1}, {1})}})),
             contains("4294967296 elements of 4 bytes"));
}

}  // namespace
}  // namespace regroup::models
