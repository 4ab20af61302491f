#include "models/files/zip_entries.hpp"

#include <cstddef>
#include <span>
#include <string>

#include "search/base/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/error_message.hpp"
#include "tests/support/torch_archive.hpp"

namespace regroup::models {
namespace {

using tests::contains;
using tests::error_message;
using tests::Records;
using tests::zip_bytes;

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span<const char>(text.data(), text.size()));
}

std::string entry_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string zip_refusal(const std::string& archive) {
  std::string message =
      error_message<InputError>([&] { read_zip_entries(bytes_of(archive), "a.bin"); });
  CHECK_THAT(message, contains("a.bin"));
  return message;
}

/// `archive` with `text` written over it from `at`.
std::string with(std::string archive, std::size_t at, const std::string& text) {
  return archive.replace(at, text.size(), text);
}

TEST_CASE("entries of a zip archive, with and without the records for large ones") {
  for (const bool zip64 : {false, true}) {
    const std::string archive = zip_bytes({{"b/x", "123"}, {"a", ""}, {"c", "PK\x05\x06"}}, zip64);
    const ZipEntries entries = read_zip_entries(bytes_of(archive), "a.bin");
    REQUIRE(entries.size() == 3);
    CHECK(entry_text(entries.at("b/x")) == "123");
    CHECK(entries.at("a").empty());
    CHECK(entry_text(entries.at("c")) == "PK\x05\x06");
  }
}

TEST_CASE("a zip archive may end with a comment") {
  std::string archive = zip_bytes({{"a", "1"}});
  archive.replace(archive.size() - 2, 2, std::string("\x05\x00", 2)).append("hello");
  CHECK(entry_text(read_zip_entries(bytes_of(archive), "a.bin").at("a")) == "1");
  CHECK_THAT(zip_refusal(archive + "?"), contains("no directory"));
}

TEST_CASE("an empty zip archive has no entries") {
  CHECK(read_zip_entries(bytes_of(zip_bytes({})), "a.bin").empty());
}

TEST_CASE("files that are no zip archives") {
  CHECK_THAT(zip_refusal(""), contains("an empty file"));
  CHECK_THAT(zip_refusal("version https://git-lfs"), contains("found: \"version \""));
}

TEST_CASE("a zip archive that is cut short anywhere is refused") {
  for (const bool zip64 : {false, true}) {
    const std::string archive = zip_bytes({{"a", "12345678"}, {"b", "9"}}, zip64);
    for (std::size_t length = 0; length < archive.size(); ++length) {
      CAPTURE(length);
      CHECK_THAT(zip_refusal(archive.substr(0, length)), !contains("no error"));
    }
  }
}

TEST_CASE("entries that are not stored as they are") {
  const std::string archive = zip_bytes({{"a", "12345678"}});
  const std::size_t entry = archive.find("PK\x01\x02");
  CHECK_THAT(zip_refusal(with(archive, entry + 10, "\x08")), contains("a, compressed"));
  CHECK_THAT(zip_refusal(with(archive, entry + 8, "\x01")), contains("a, encrypted"));
}

TEST_CASE("a zip archive whose records point elsewhere") {
  const std::string archive = zip_bytes({{"a", "12345678"}});
  const std::size_t entry = archive.find("PK\x01\x02");
  const std::size_t end = archive.find("PK\x05\x06");
  CHECK_THAT(zip_refusal(with(archive, entry + 24, "\xff")), contains("past the end"));
  CHECK_THAT(zip_refusal(with(archive, entry + 42, "\x01")), contains("local header"));
  CHECK_THAT(zip_refusal(with(archive, entry + 42, "\xff\xff\xff\x7f")), contains("past the end"));
  CHECK_THAT(zip_refusal(with(archive, entry, "QK")), contains("directory entry"));
  CHECK_THAT(zip_refusal(with(archive, end + 10, "\x02")), contains("directory ends too early"));
  CHECK_THAT(zip_refusal(with(archive, end + 16, "\xff\xff\xff\xff")), contains("zip64 locator"));
}

TEST_CASE("two entries of one name are refused") {
  CHECK_THAT(zip_refusal(zip_bytes({{"a", "1"}, {"a", "2"}})), contains("two entries"));
}

}  // namespace
}  // namespace regroup::models
