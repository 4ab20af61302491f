#include <algorithm>
#include <thread>

#include "models/files/json_file.hpp"
#include "models/images/class_labels.hpp"
#include "models/images/image_files.hpp"
#include "search/base/error.hpp"
#include "tests/models/images/image_goldens.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/error_message.hpp"
#include "tests/support/shared_data.hpp"
#include "tests/support/temporary_directory.hpp"

namespace regroup::models {
namespace {

using nlohmann::json;
using tests::contains;
using tests::error_message;
using tests::TemporaryDirectory;

using Labels = std::vector<std::string>;

/// Pixels as they are, from 0 to 255.
ImageProcessor plain(ImageSize size) {
  ImageProcessor processor;
  processor.model_size = size;
  return processor;
}

/// All goldens that are images of 13 × 21, under the names given.
void write_images(const TemporaryDirectory& data, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    const bool png = name.ends_with(".png");
    data.write(name, tests::read_file(tests::image_golden(png ? "rgb8.png" : "colour420.jpg")));
  }
}

std::unique_ptr<ImageFiles> open(const TemporaryDirectory& data, const Labels& labels) {
  return open_image_files(data.path(), plain({13, 21}), labels);
}

std::vector<int> labels_of(const ImageSet& images) {
  std::vector<int> labels;
  for (std::size_t i = 0; i < images.size(); ++i) labels.push_back(images.label(i));
  return labels;
}

/// An image of CIFAR-10 whose pixel p (row by row) is red `red` + p % 7, green 50, blue p % 256.
std::string cifar_image(char label, int red) {
  std::string bytes(1, label);
  for (int p = 0; p < 1024; ++p) bytes += static_cast<char>(red + p % 7);
  bytes.append(1024, '\x32');
  for (int p = 0; p < 1024; ++p) bytes += static_cast<char>(p % 256);
  return bytes;
}

const Labels kAnimals = {"airplane", "automobile", "bird",  "cat",  "deer",
                         "dog",      "frog",       "horse", "ship", "truck"};

std::string lines(const Labels& labels) {
  std::string text;
  for (const std::string& label : labels) text += label + "\n";
  return text + "\n";
}

std::unique_ptr<ImageFiles> open_cifar(const std::filesystem::path& data,
                                       const Labels& labels = {}) {
  return open_image_files(data, plain({32, 32}), labels);
}

template <typename Action>
std::string refusal(Action&& action) {
  return error_message<InputError>(std::forward<Action>(action));
}

}  // namespace

TEST_CASE("a folder of class folders is read in the order of the names") {
  const TemporaryDirectory data;
  write_images(data, {"b/2.png", "b/10.jpg", "a/x.JPEG", "c/1.png"});
  data.write("notes.txt", "beside the classes");
  data.write("a/.hidden", "no image");
  data.write(".cache/1.png", "no class");
  const auto images = open(data, {"c", "b", "a", "unused"});
  CHECK(labels_of(*images) == std::vector<int>{2, 1, 1, 0});
  CHECK(images->pixels(0) == images->pixels(1));
  CHECK(images->pixels(2) == images->pixels(3));
  CHECK(images->pixels(0) != images->pixels(2));
  CHECK(images->pixels(0).size() == 3 * 13 * 21);
}

TEST_CASE("classes that the model does not name are taken in order when their number fits") {
  const TemporaryDirectory data;
  write_images(data, {"b/1.png", "a/1.png", "c/1.png"});
  CHECK(labels_of(*open(data, {})) == std::vector<int>{0, 1, 2});
  CHECK(labels_of(*open(data, {"tench, Tinca tinca", "A", "B"})) == std::vector<int>{0, 1, 2});
  const std::string message = refusal([&] { open(data, {"tench", "goldfish"}); });
  CHECK_THAT(message, contains("\"tench\", or 2 classes"));
  CHECK_THAT(message, contains("3 classes"));
}

TEST_CASE("a class that is not among the others' labels is refused by name") {
  const TemporaryDirectory data;
  write_images(data, {"Dog/1.png", "cat/1.png", "dog/1.png"});
  CHECK_THAT(refusal([&] { open(data, {"cat", "dog", "cow"}); }), contains("found: Dog"));
  CHECK_THAT(refusal([&] {
               open(data, {"cat", "dog", "Dog", "cat"});
             }),
             contains("cat, classes 0 and 3"));
}

TEST_CASE("the names of a model's classes are those of id2label") {
  const auto read = [](const json& config) { return read_class_labels(config, "config.json"); };
  CHECK(read({{"id2label",
               {{"1", "b"},
                {"0", "a"},
                {"10", "k"},
                {"2", "c"},
                {"3", "d"},
                {"4", "e"},
                {"5", "f"},
                {"6", "g"},
                {"7", "h"},
                {"8", "i"},
                {"9", "j"}}}}) == Labels{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"});
  CHECK(read(json::object()).empty());
  CHECK_THAT(refusal([&] { read({{"id2label", {{"0", "a"}, {"2", "b"}}}}); }), contains("\"1\""));
  CHECK_THAT(refusal([&] { read({{"id2label", {{"0", 1}}}}); }), contains("a string"));
  CHECK_THAT(refusal([&] { read({{"id2label", "a"}}); }), contains("\"id2label\""));
}

TEST_CASE("data without images is refused") {
  const TemporaryDirectory data;
  const auto message = [&](const std::string& name) {
    return refusal([&] { open_image_files(data.path() / name, plain({13, 21}), {}); });
  };
  CHECK_THAT(message(""), contains("no images"));
  std::filesystem::create_directories(data.path() / "classes/empty");
  data.write("classes/image.png", tests::read_file(tests::image_golden("rgb8.png")));
  CHECK_THAT(message("classes"), contains("no images"));
  CHECK_THAT(message("classes/image.png"), contains("another kind of file"));
  CHECK_THAT(message("absent"), contains("no such file"));
  data.write("none.bin", "");
  CHECK_THAT(message("none.bin"), contains("no images"));
}

TEST_CASE("a folder below a class is refused") {
  const TemporaryDirectory data;
  write_images(data, {"a/1.png", "a/more/1.png"});
  CHECK_THAT(refusal([&] { open(data, {}); }), contains("a/more"));
}

TEST_CASE("a broken image is refused by its file when it is read") {
  const TemporaryDirectory data;
  write_images(data, {"a/1.png", "a/3.png"});
  data.write("a/2.png", "text");
  const auto images = open(data, {});
  CHECK(images->size() == 3);
  CHECK_THAT(refusal([&] { images->pixels(1); }), contains("a/2.png"));
  CHECK(images->pixels(2) == images->pixels(0));
  const auto larger = open_image_files(data.path(), plain({14, 21}), {});
  CHECK_THAT(refusal([&] { larger->pixels(0); }), contains("a/1.png"));
}

TEST_CASE("several threads may read images at once") {
  const TemporaryDirectory data;
  for (int i = 0; i < 12; ++i) write_images(data, {"a/" + std::to_string(i) + ".png"});
  for (int i = 0; i < 12; ++i) write_images(data, {"b/" + std::to_string(i) + ".jpg"});
  const auto images = open(data, {});
  std::vector<std::vector<float>> pixels(images->size());
  {
    std::vector<std::jthread> threads;
    for (std::size_t first = 0; first < 4; ++first) {
      threads.emplace_back([&, first] {
        for (std::size_t i = first; i < pixels.size(); i += 4) pixels[i] = images->pixels(i);
      });
    }
  }
  for (std::size_t i = 0; i < pixels.size(); ++i) CHECK(pixels[i] == images->pixels(i));
}

TEST_CASE("the hash of a folder is that of its files' hashes and names") {
  const TemporaryDirectory data;
  data.write("b/1", "abc");
  data.write("a/1", "");
  const std::string empty = sha256_hex("");
  const std::string abc = sha256_hex("abc");
  CHECK(open(data, {})->sha256() == sha256_hex(empty + "  a/1\n" + abc + "  b/1\n"));
  data.write("b/1", "abd");
  CHECK(open(data, {})->sha256() != sha256_hex(empty + "  a/1\n" + abc + "  b/1\n"));
}

TEST_CASE("a file of CIFAR-10 gives its labels and planes") {
  const TemporaryDirectory data;
  const std::string content = cifar_image(3, 100) + cifar_image(9, 200);
  const auto file = data.write("test_batch.bin", content);
  const auto images = open_cifar(file);
  CHECK(labels_of(*images) == std::vector<int>{3, 9});
  const std::vector<float> pixels = images->pixels(1);
  REQUIRE(pixels.size() == 3 * 1024);
  CHECK(pixels[0] == 200);
  CHECK(pixels[8] == 201);
  CHECK(pixels[1024] == 50);
  CHECK(pixels[2048 + 33] == 33);
  CHECK(pixels[2048 + 257] == 1);
  CHECK(images->sha256() == sha256_hex(content));
}

TEST_CASE("a folder of CIFAR-10 is read file after file") {
  const TemporaryDirectory data;
  const std::string first = cifar_image(1, 1) + cifar_image(2, 2);
  const std::string second = cifar_image(0, 3);
  data.write("data_batch_2.bin", second);
  data.write("data_batch_1.bin", first);
  data.write("readme.html", "<html>");
  const auto images = open_cifar(data.path());
  CHECK(labels_of(*images) == std::vector<int>{1, 2, 0});
  CHECK(images->pixels(2)[0] == 3);
  CHECK(images->sha256() == sha256_hex(sha256_hex(first) + "  data_batch_1.bin\n" +
                                       sha256_hex(second) + "  data_batch_2.bin\n"));
}

TEST_CASE("CIFAR-10's labels follow its names where the model has them") {
  const TemporaryDirectory data;
  const auto file = data.write("test_batch.bin", cifar_image(0, 0) + cifar_image(9, 0));
  Labels reversed = kAnimals;
  std::reverse(reversed.begin(), reversed.end());
  CHECK(labels_of(*open_cifar(file, reversed)) == std::vector<int>{0, 9});
  data.write("batches.meta.txt", lines(kAnimals));
  CHECK(labels_of(*open_cifar(file, reversed)) == std::vector<int>{9, 0});
  CHECK(labels_of(*open_cifar(file, kAnimals)) == std::vector<int>{0, 9});
  CHECK(labels_of(*open_cifar(file)) == std::vector<int>{0, 9});
  Labels other = kAnimals;
  other[6] = "toad";
  CHECK_THAT(refusal([&] { open_cifar(file, other); }), contains("found: frog"));
  CHECK_THAT(refusal([&] { open_cifar(file, Labels(1000, "x")); }), contains("1000 classes"));
  data.write("batches.meta.txt", "cat\ndog\n");
  CHECK_THAT(refusal([&] { open_cifar(file); }), contains("batches.meta.txt"));
}

TEST_CASE("broken files of CIFAR-10 are refused") {
  const TemporaryDirectory data;
  const auto message = [&](const std::string& content) {
    const auto file = data.write("test_batch.bin", content);
    return refusal([&] { open_cifar(file); });
  };
  CHECK_THAT(message(cifar_image(1, 0) + "x"), contains("3074 bytes"));
  CHECK_THAT(message(std::string(3072, '\0')), contains("a multiple of 3073"));
  CHECK_THAT(message(cifar_image(1, 0) + cifar_image(10, 0)), contains("image 1"));
  CHECK_THAT(message(cifar_image('\xff', 0)), contains("found: 255"));
}

TEST_CASE("Tiny-ImageNet becomes what transformers makes of it") {
  REGROUP_NEEDS_SHARED_DATA("images/tiny-imagenet-val2k");
  const auto model = tests::shared_data("checkpoints/vit-tiny-tinyimagenet");
  const auto labels = read_class_labels(read_json_file(model / "config.json"), "config.json");
  const auto images = open_image_files(tests::shared_data("images/tiny-imagenet-val2k"),
                                       read_image_processor(model, {224, 224}), labels);
  REQUIRE(images->size() == 2000);
  const auto goldens = tests::image_goldens("shared").at("processed");
  REQUIRE(goldens.size() == 20);
  for (std::size_t i = 0; i < goldens.size(); ++i) {
    const auto name = goldens[i].at("file").get<std::string>();
    CAPTURE(name);
    const auto label = static_cast<std::size_t>(images->label(100 * i));
    CHECK(labels.at(label) == name.substr(0, name.find('/')));
    CHECK(tests::digest(images->pixels(100 * i)) == goldens[i].at("sha256"));
  }
}

}  // namespace regroup::models
