#include "models/files/sha256.hpp"

#include <string>

#include "search/base/error.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/error_message.hpp"
#include "tests/support/temporary_directory.hpp"

namespace regroup::models {
namespace {

using tests::contains;
using tests::error_message;
using tests::TemporaryDirectory;

// Digests of FIPS 180's example messages.
constexpr const char* kEmpty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
constexpr const char* kAbc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr const char* kTwoBlocks =
    "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1";
constexpr const char* kMillionA =
    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

TEST_CASE("SHA-256 of the standard's examples") {
  CHECK(sha256_hex("") == kEmpty);
  CHECK(sha256_hex("abc") == kAbc);
  CHECK(sha256_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") == kTwoBlocks);
}

TEST_CASE("SHA-256 does not depend on how the bytes arrive") {
  Sha256 hash;
  const std::string piece(999, 'a');
  for (int i = 0; i < 1001; ++i) hash.update(piece);
  hash.update("a");
  CHECK(hash.hex_digest() == kMillionA);
}

TEST_CASE("SHA-256 of files") {
  const TemporaryDirectory directory;
  CHECK(sha256_of_file(directory.write("empty", "")) == kEmpty);
  CHECK(sha256_of_file(directory.write("million", std::string(1'000'000, 'a'))) == kMillionA);
  const std::string large(3'000'001, 'b');  // several of the reader's buffers
  CHECK(sha256_of_file(directory.write("large", large)) == sha256_hex(large));
}

TEST_CASE("SHA-256 of what is no file") {
  const TemporaryDirectory directory;
  CHECK_THAT(error_message<InputError>([&] { sha256_of_file(directory.path() / "absent"); }),
             contains("absent"));
  CHECK_THAT(error_message<InputError>([&] { sha256_of_file(directory.path()); }),
             contains("a directory"));
}

}  // namespace
}  // namespace regroup::models
