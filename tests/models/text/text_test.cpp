#include <cstring>
#include <fstream>
#include <limits>

#include "models/files/little_endian.hpp"
#include "models/inputs/windows.hpp"
#include "models/text/id_files.hpp"
#include "models/text/token_data.hpp"
#include "models/text/tokenizer.hpp"
#include "search/base/error.hpp"
#include "tests/fixtures/tiny_llama.hpp"
#include "tests/fixtures/tiny_tokenizer.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/error_message.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/temporary_directory.hpp"

using namespace regroup;
using namespace regroup::models;
using namespace regroup::tests;

namespace {

/// A version 1 .npy file of the given dtype and shape text.
template <class T>
std::string npy(const std::string& descr, const std::string& shape, const std::vector<T>& values) {
  std::string header =
      "{'descr': '" + descr + "', 'fortran_order': False, 'shape': " + shape + ", }";
  header.append(64 - (header.size() + 11) % 64, ' ');
  header += '\n';
  std::string file = "\x93NUMPY";
  file += '\x01';
  file += '\x00';
  file += static_cast<char>(header.size() % 256);
  file += static_cast<char>(header.size() / 256);
  file += header;
  file.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
  return file;
}

std::vector<std::int32_t> ids_of(const std::string& bytes) {
  return read_npy_ids(std::as_bytes(std::span(bytes)), "x.npy");
}

std::vector<std::int32_t> bin_ids(const std::string& bytes, int vocabulary) {
  return read_bin_ids(std::as_bytes(std::span(bytes)), vocabulary, "x.bin");
}

/// The 256 numbers with which llm.c's files begin.
std::string llmc_header(std::uint32_t magic, std::uint32_t version, std::uint32_t count) {
  std::string header;
  for (const std::uint32_t number : {magic, version, count}) {
    append_little_endian(header, number, 4);
  }
  header.resize(1024);
  return header;
}

std::string ids_refusal(const std::string& bytes) {
  return error_message<InputError>([&] { ids_of(bytes); });
}

}  // namespace

TEST_CASE("windows are disjoint, overlap by the one id that is predicted, and leave the rest") {
  std::vector<std::int32_t> stream(11);
  for (std::size_t i = 0; i < stream.size(); ++i) stream[i] = static_cast<std::int32_t>(i);
  const Windows windows = Windows::of_stream(stream, 4, "s");
  REQUIRE(windows.size() == 2);
  CHECK(std::vector<std::int32_t>(windows[0].begin(), windows[0].end()) ==
        std::vector<std::int32_t>{0, 1, 2, 3, 4});
  CHECK(std::vector<std::int32_t>(windows[1].begin(), windows[1].end()) ==
        std::vector<std::int32_t>{4, 5, 6, 7, 8});
  CHECK(windows.tokens() == 8);
  CHECK(Windows::of_stream(stream, 10, "s").size() == 1);
  CHECK_THROWS_AS(Windows::of_stream(stream, 11, "s"), InputError);
  CHECK_THAT(error_message<InputError>([] { Windows::of_stream({}, 4, "t.txt"); }),
             contains("text is empty"));
}

TEST_CASE("NumPy ids of every integer type") {
  CHECK(ids_of(npy<std::int32_t>("<i4", "(3,)", {1, 2, 70000})) ==
        std::vector<std::int32_t>{1, 2, 70000});
  CHECK(ids_of(npy<std::uint8_t>("|u1", "(2,)", {200, 3})) == std::vector<std::int32_t>{200, 3});
  CHECK(ids_of(npy<std::uint16_t>("<u2", "(2,)", {65535, 3})) ==
        std::vector<std::int32_t>{65535, 3});
  CHECK(ids_of(npy<std::int64_t>("<i8", "(1,)", {5})) == std::vector<std::int32_t>{5});
  CHECK(ids_of(npy<std::uint8_t>(">u2", "(1,)", {1, 2})) == std::vector<std::int32_t>{258});
  CHECK(ids_of(npy<std::int32_t>("<i4", "(0,)", {})).empty());
}

TEST_CASE("broken NumPy files are refused, each with its own message") {
  CHECK_THAT(ids_refusal("hello"), contains("not a NumPy array"));
  CHECK_THAT(ids_refusal(npy<float>("<f4", "(1,)", {1})), contains("not of integers"));
  CHECK_THAT(ids_refusal(npy<std::int32_t>("<i4", "(1, 1)", {1})), contains("not one-dimensional"));
  CHECK_THAT(ids_refusal(npy<std::int32_t>("<i4", "(2,)", {1})), contains("another length"));
  CHECK_THAT(ids_refusal(npy<std::int32_t>("<i4", "(1,)", {-4})), contains("token 0"));
  CHECK_THAT(ids_refusal(npy<std::int64_t>("<i8", "(1,)", {std::int64_t{1} << 40})),
             contains("token 0"));
  CHECK_THAT(
      ids_refusal(npy<std::uint64_t>("<u8", "(1,)", {std::numeric_limits<std::uint64_t>::max()})),
      contains("token 0"));
  const std::string whole = npy<std::int32_t>("<i4", "(3,)", {1, 2, 3});
  for (std::size_t length = 0; length < whole.size(); ++length) {
    CHECK_THROWS_AS(ids_of(whole.substr(0, length)), InputError);
  }
}

TEST_CASE("ids written as a NumPy file are read as they were") {
  for (const std::vector<std::int32_t>& ids :
       {std::vector<std::int32_t>{}, {5}, std::vector<std::int32_t>(1000, 0x01020304)}) {
    const std::string file = npy_file(ids);
    CHECK(ids_of(file) == ids);
    CHECK((file.size() - 4 * ids.size()) % 64 == 0);
  }
}

TEST_CASE(".bin ids have the width that the vocabulary needs") {
  const std::string bytes("\x01\x00\x02\x00", 4);
  const auto view = std::as_bytes(std::span(bytes));
  CHECK(read_bin_ids(view, 65535, "x.bin") == std::vector<std::int32_t>{1, 2});
  CHECK(read_bin_ids(view, 65536, "x.bin") == std::vector<std::int32_t>{0x20001});
  CHECK_THROWS_AS(read_bin_ids(view.subspan(1), 100, "x.bin"), InputError);
}

TEST_CASE("a header of llm.c says the width of the ids, whatever the vocabulary") {
  const std::string two("\x01\x00\x02\x00", 4);
  const std::string wide("\x01\x00\x01\x00\x02\x00\x00\x00", 8);
  for (const int vocabulary : {100, 100000}) {
    CHECK(bin_ids(llmc_header(20240520, 1, 2) + two, vocabulary) ==
          std::vector<std::int32_t>{1, 2});
    CHECK(bin_ids(llmc_header(20240801, 7, 2) + wide, vocabulary) ==
          std::vector<std::int32_t>{0x10001, 2});
    CHECK(bin_ids(llmc_header(20240520, 1, 0), vocabulary).empty());
  }
}

TEST_CASE("files of llm.c that are not understood are refused by name") {
  const auto refusal_of = [](const std::string& bytes) {
    return error_message<InputError>([&] { bin_ids(bytes, 100); });
  };
  const std::string two("\x01\x00\x02\x00", 4);
  CHECK_THAT(refusal_of(llmc_header(20240520, 2, 2) + two), contains("20240520, version 2"));
  CHECK_THAT(refusal_of(llmc_header(20240801, 1, 1) + two), contains("20240801, version 1"));
  CHECK_THAT(refusal_of(llmc_header(20240522, 1, 2) + two), contains("an evaluation set"));
  CHECK_THAT(refusal_of(llmc_header(20240326, 3, 1024) + two), contains("weights of GPT-2"));
  CHECK_THAT(refusal_of(llmc_header(20240328, 2, 50257)), contains("a tokenizer"));
  const std::string whole = llmc_header(20240520, 1, 2) + two;
  for (std::size_t length = 4; length < whole.size(); ++length) {
    CHECK_THAT(refusal_of(whole.substr(0, length)), contains("x.bin"));
  }
  CHECK_THAT(refusal_of(whole + "\x01"), contains("another length"));
  CHECK_THAT(refusal_of(llmc_header(20240520, 1, 0xffffffff) + two), contains("another length"));
  // Other files under such a name.
  CHECK_THAT(refusal_of("PK\x03\x04 and more"), contains("a zip archive"));
  CHECK_THAT(refusal_of(npy<std::int32_t>("<i4", "(1,)", {1})), contains("a NumPy array"));
}

TEST_CASE("data is refused where the model cannot read it") {
  const TemporaryDirectory scratch;
  TinyLlama().write(scratch.path() / "model");
  const PretrainedModel model = open_model(scratch.path() / "model");
  const auto refusal_of = [&](const std::filesystem::path& file) {
    return error_message<InputError>([&] { read_token_data(file, model); });
  };
  CHECK_THAT(refusal_of(scratch.path() / "absent.txt"), contains("absent.txt"));
  CHECK_THAT(refusal_of(scratch.write("a.txt", "text")), contains("no tokenizer"));
  CHECK_THAT(refusal_of(scratch.write("a.txt", "\xff")), contains("not UTF-8"));
  CHECK_THAT(refusal_of(scratch.write("a.bin", std::string("\x01\x00\x14\x00", 4))),
             contains("token 1"));
  CHECK_THAT(refusal_of(scratch.write("a.txt", "PAR1 and so on")), contains("a Parquet file"));
  scratch.write("model/tokenizer.model", "no SentencePiece model");
  CHECK_THAT(refusal_of(scratch.write("a.txt", "text")), contains("SentencePiece"));
}

TEST_CASE("text is read by the model's tokenizer.json, begin-of-sequence once at the start") {
  const TemporaryDirectory scratch;
  TinyLlama llama;
  llama.vocabulary = 300;
  llama.write(scratch.path() / "model");
  scratch.write("model/tokenizer.json", tiny_bpe().dump());
  scratch.write("model/tokenizer_config.json",
                R"({"add_bos_token": true, "bos_token": "<|end|>"})");
  const PretrainedModel model = open_model(scratch.path() / "model");
  const TokenData data = read_token_data(scratch.write("a.txt", "the the\n\nthe\n"), model);
  CHECK(data.ids == std::vector<std::int32_t>{262, 257, 259, '\n', '\n', 257, '\n'});
}

TEST_CASE("the demo's tokenizer adds its begin-of-sequence token") {
  const auto tokenizer = load_tokenizer(source_folder() / "examples/demo-llama");
  const auto plain = tokenizer->encode("Hello", false);
  auto special = plain;
  special.insert(special.begin(), 1);
  CHECK(tokenizer->encode("Hello", true) == special);
  CHECK(tokenizer->vocabulary() == 4096);
}
