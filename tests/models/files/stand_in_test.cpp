#include "models/files/stand_in.hpp"

#include <string>

#include "models/files/mapped_file.hpp"
#include "search/base/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/error_message.hpp"
#include "tests/support/shared_data.hpp"
#include "tests/support/temporary_directory.hpp"

namespace regroup::models {
namespace {

using tests::contains;
using tests::error_message;
using tests::TemporaryDirectory;

const std::string kPointer =
    "version https://git-lfs.github.com/spec/v1\n"
    "oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\n"
    "size 12345\n";

std::string refusal(const std::string& name, const std::string& text) {
  const TemporaryDirectory directory;
  const auto path = directory.write(name, text);
  return error_message<InputError>([&] { MappedFile file(path); });
}

std::string_view name_of(std::string_view text) {
  return content_name(std::as_bytes(std::span(text)));
}

TEST_CASE("a Git LFS pointer is called that, in whatever file it stands") {
  for (const char* name : {"model.safetensors", "config.json", "a.txt", "ids.bin"}) {
    const std::string message = refusal(name, kPointer);
    CHECK_THAT(message, contains("Git LFS pointer"));
    CHECK_THAT(message, contains("git lfs pull"));
    CHECK_THAT(message, contains("12345 bytes"));
    CHECK_THAT(message, contains(name));
  }
  CHECK_THAT(refusal("a", kPointer.substr(0, 44)), contains("Git LFS pointer"));
}

TEST_CASE("an HTML page is called that, unless its name says it is meant") {
  for (const char* text : {"<!DOCTYPE html>\n<html>", "\xef\xbb\xbf\r\n <!doctype HTML >", "<html>",
                           "<HTML lang=\"en\">", "\n<html\n>"}) {
    CHECK_THAT(refusal("model.safetensors", text), contains("HTML page"));
    CHECK_THAT(refusal("a.txt", text), contains("HTML page"));
    CHECK(refusal("page.html", text) == "no error was thrown");
    CHECK(refusal("page.HTM", text) == "no error was thrown");
  }
}

TEST_CASE("text about pointers and pages is text") {
  for (const std::string& text :
       {"see <html>" + std::string(), std::string("<htmlx>"), std::string("<!doctype htmls>"),
        std::string("<"), std::string(), std::string("version https://git-lfs.github.com"),
        "A pointer:\n" + kPointer, kPointer + std::string(1024, 'x')}) {
    CHECK(refusal("a.txt", text) == "no error was thrown");
  }
}

TEST_CASE("files of other kinds are named by their first bytes") {
  using namespace std::string_literals;
  CHECK(name_of("PK\x03\x04rest") == "a zip archive");
  CHECK(name_of("GGUF\x03") == "a GGUF file");
  CHECK(name_of("\x93NUMPY\x01") == "a NumPy array");
  CHECK(name_of("PAR1") == "a Parquet file");
  CHECK(name_of("\x1f\x8b\x08\x00\x00"s) == "a gzip archive");
  CHECK(name_of(std::string(257, '\0') + "ustar") == "a tar archive");
  CHECK(name_of("\x02\0\0\0\0\0\0\0{}"s) == "a safetensors file");
  // Neither text nor numbers are taken for one of them.
  for (const std::string& text : {""s, "PK"s, "GGU"s, "The text."s, "\x03\0\0\0\0\0\0\0{}"s,
                                  "\x02\0\0\0\0\0\0\0[]"s, std::string(600, '\0')}) {
    CHECK(name_of(text).empty());
  }
}

TEST_CASE("the pointer that people report is refused by name") {
  REGROUP_NEEDS_SHARED_DATA("troubles/files");
  const auto file = tests::shared_data("troubles/files/pointer.safetensors");
  CHECK_THAT(error_message<InputError>([&] { MappedFile mapped(file); }),
             contains("a pointer to 269060552 bytes"));
}

}  // namespace
}  // namespace regroup::models
