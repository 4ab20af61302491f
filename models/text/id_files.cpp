#include "models/text/id_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <string_view>

#include "models/files/little_endian.hpp"
#include "models/files/printable.hpp"
#include "models/files/stand_in.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

/// How one number of a file is laid out.
struct IntegerLayout {
  std::size_t width = 2;  // bytes
  bool is_signed = false;
  bool big_endian = false;
};

[[noreturn]] void fail(std::string what, const std::string& where, std::string expected,
                       std::string found) {
  throw InputError({.what = std::move(what),
                    .where = where,
                    .expected = std::move(expected),
                    .found = std::move(found)});
}

std::int64_t read_integer(std::span<const std::byte> bytes, const IntegerLayout& layout) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < layout.width; ++i) {
    const std::size_t place = layout.big_endian ? i : layout.width - 1 - i;
    value = (value << 8U) | std::to_integer<std::uint64_t>(bytes[place]);
  }
  const std::uint64_t sign = std::uint64_t{1} << (8 * layout.width - 1);
  if (layout.is_signed && layout.width < 8 && (value & sign) != 0) value -= 2 * sign;
  return static_cast<std::int64_t>(value);
}

std::vector<std::int32_t> read_ids(std::span<const std::byte> bytes, const IntegerLayout& layout,
                                   const std::string& where) {
  if (bytes.size() % layout.width != 0) {
    fail("file does not hold whole token ids", where,
         fmt::format("a multiple of {} bytes", layout.width),
         fmt::format("{} bytes", bytes.size()));
  }
  std::vector<std::int32_t> ids;
  ids.reserve(bytes.size() / layout.width);
  for (std::size_t at = 0; at < bytes.size(); at += layout.width) {
    const std::int64_t id = read_integer(bytes.subspan(at, layout.width), layout);
    if (id < 0 || id > std::numeric_limits<std::int32_t>::max()) {
      fail("token id is not one", fmt::format("{}, token {}", where, ids.size()),
           "a number from 0 to 2147483647", std::to_string(id));
    }
    ids.push_back(static_cast<std::int32_t>(id));
  }
  return ids;
}

/// A kind of file of llm.c, by the first number of its header.
struct LlmcFile {
  std::uint64_t magic;
  std::uint64_t version;  // the one that is read
  std::size_t width;      // of a token id, bytes; 0: it holds no tokens
  std::string_view name;
};

/// In the order of karpathy/llm.c: what its scripts in dev/data/ and its train_gpt2.py write.
constexpr std::array kLlmcFiles = {
    LlmcFile{20240520, 1, 2, "tokens of GPT-2"},    LlmcFile{20240801, 7, 4, "tokens of Llama 3"},
    LlmcFile{20240522, 0, 0, "an evaluation set"},  LlmcFile{20240326, 0, 0, "weights of GPT-2"},
    LlmcFile{20240803, 0, 0, "weights of Llama 3"}, LlmcFile{20240328, 0, 0, "a tokenizer"}};

constexpr std::size_t kLlmcNumberBytes = 4;
constexpr std::size_t kLlmcHeaderBytes = 256 * kLlmcNumberBytes;

std::uint64_t llmc_number(std::span<const std::byte> bytes, std::size_t index) {
  return read_little_endian(bytes.subspan(index * kLlmcNumberBytes, kLlmcNumberBytes));
}

const LlmcFile* llmc_file(std::span<const std::byte> bytes) {
  if (bytes.size() < kLlmcNumberBytes) return nullptr;
  const auto found = std::ranges::find(kLlmcFiles, llmc_number(bytes, 0), &LlmcFile::magic);
  return found == kLlmcFiles.end() ? nullptr : &*found;
}

/// The ids behind a header: its numbers are the kind of file, the version and how many ids follow,
/// then zeros.
std::vector<std::int32_t> read_llmc_ids(std::span<const std::byte> bytes, const LlmcFile& file,
                                        const std::string& where) {
  if (bytes.size() < kLlmcHeaderBytes) {
    fail("llm.c's header is cut short", where, fmt::format("{} bytes", kLlmcHeaderBytes),
         fmt::format("{} bytes", bytes.size()));
  }
  if (file.width == 0 || llmc_number(bytes, 1) != file.version) {
    fail("file of llm.c is not one of tokens that is known", where,
         "a header 20240520, version 1 (uint16), or 20240801, version 7 (uint32)",
         fmt::format("{}, version {}: {}", file.magic, llmc_number(bytes, 1), file.name));
  }
  const auto rest = bytes.subspan(kLlmcHeaderBytes);
  const std::uint64_t count = llmc_number(bytes, 2);
  if (rest.size() != count * file.width) {
    fail("file has another length than its llm.c header says", where,
         fmt::format("{} token ids of {} bytes", count, file.width),
         fmt::format("{} bytes", rest.size()));
  }
  return read_ids(rest, {file.width, false, false}, where);
}

/// The header's text and where the data begins.
struct NpyParts {
  std::string_view header;
  std::span<const std::byte> data;
};

NpyParts split_npy(std::span<const std::byte> bytes, const std::string& where) {
  constexpr std::string_view kMagic = "\x93NUMPY";
  constexpr std::size_t kVersionAt = 6;
  constexpr std::size_t kLengthAt = 8;
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (bytes.size() < kLengthAt + 2 || text.substr(0, kMagic.size()) != kMagic) {
    fail("file is not a NumPy array", where, "a .npy file", fmt::format("{} bytes", bytes.size()));
  }
  const std::size_t width = text[kVersionAt] == 1 ? 2 : 4;
  const std::size_t header_at = kLengthAt + width;
  if (bytes.size() < header_at) fail("NumPy file is truncated", where, "a header", "none");
  const auto length = static_cast<std::size_t>(
      read_integer(bytes.subspan(kLengthAt, width), {width, false, false}));
  if (length > bytes.size() - header_at) {
    fail("NumPy file is truncated", where, fmt::format("a header of {} bytes", length),
         fmt::format("{} bytes", bytes.size() - header_at));
  }
  return {text.substr(header_at, length), bytes.subspan(header_at + length)};
}

/// The text after `'key':` in the header's dictionary, up to `end`.
std::string_view npy_field(std::string_view header, std::string_view key, char end,
                           const std::string& where) {
  const std::string quoted = fmt::format("'{}':", key);
  const std::size_t at = header.find(quoted);
  const std::size_t from =
      at == header.npos ? at : header.find_first_not_of(' ', at + quoted.size());
  const std::size_t to = from == header.npos ? from : header.find(end, from + 1);
  if (to == header.npos) {
    fail("NumPy header lacks a field", where, quoted, printable(header));
  }
  return header.substr(from, to - from + 1);
}

std::optional<IntegerLayout> integer_layout(std::string_view descr) {
  // '<i4': byte order, kind, width, in quotes.
  if (descr.size() != 5) return std::nullopt;
  const char order = descr[1];
  const char kind = descr[2];
  const char width = descr[3];
  const bool known = (order == '<' || order == '>' || order == '|') &&
                     (kind == 'i' || kind == 'u') &&
                     (width == '1' || width == '2' || width == '4' || width == '8');
  if (!known) return std::nullopt;
  return IntegerLayout{static_cast<std::size_t>(width - '0'), kind == 'i', order == '>'};
}

/// Length of a one-dimensional shape, "(17,)".
std::optional<std::size_t> one_dimension(std::string_view shape) {
  if (shape.empty() || shape.front() != '(') return std::nullopt;
  std::size_t length = 0;
  const auto [end, error] = std::from_chars(shape.data() + 1, shape.data() + shape.size(), length);
  const std::string_view rest(end, static_cast<std::size_t>(shape.data() + shape.size() - end));
  return error == std::errc() && rest == ",)" ? std::optional(length) : std::nullopt;
}

}  // namespace

std::vector<std::int32_t> read_bin_ids(std::span<const std::byte> bytes, int vocabulary,
                                       const std::string& where) {
  constexpr int kLargest16 = 65535;
  if (const LlmcFile* file = llmc_file(bytes)) return read_llmc_ids(bytes, *file, where);
  if (const std::string_view name = content_name(bytes); !name.empty()) {
    fail("file does not hold token ids", where, "numbers without a header, or llm.c's",
         std::string(name));
  }
  return read_ids(bytes, {vocabulary > kLargest16 ? 4U : 2U, false, false}, where);
}

std::vector<std::int32_t> read_npy_ids(std::span<const std::byte> bytes, const std::string& where) {
  const NpyParts parts = split_npy(bytes, where);
  const std::string_view descr = npy_field(parts.header, "descr", '\'', where);
  const auto layout = integer_layout(descr);
  if (!layout) fail("NumPy array is not of integers", where, "an integer dtype", printable(descr));
  const std::string_view shape = npy_field(parts.header, "shape", ')', where);
  const auto length = one_dimension(shape);
  if (!length) fail("NumPy array is not one-dimensional", where, "(N,)", printable(shape));
  if (parts.data.size() / layout->width != *length || parts.data.size() % layout->width != 0) {
    fail("NumPy array has another length than its header says", where,
         fmt::format("{} bytes", *length * layout->width),
         fmt::format("{} bytes", parts.data.size()));
  }
  return read_ids(parts.data, *layout, where);
}

std::string npy_file(std::span<const std::int32_t> ids) {
  constexpr std::size_t kAlignment = 64;  // of the data in the file
  constexpr std::size_t kByte = 256;
  std::string header =
      fmt::format("{{'descr': '<i4', 'fortran_order': False, 'shape': ({},), }}", ids.size());
  const std::string_view magic("\x93NUMPY\x01\x00", 8);
  const std::size_t before = magic.size() + 2;
  header.append(kAlignment - 1 - (before + header.size()) % kAlignment, ' ').push_back('\n');
  std::string file(magic);
  file += static_cast<char>(header.size() % kByte);
  file += static_cast<char>(header.size() / kByte);
  file += header;
  for (const std::int32_t id : ids) {
    for (unsigned shift = 0; shift < 32; shift += 8) {
      file += static_cast<char>(static_cast<std::uint32_t>(id) >> shift);
    }
  }
  return file;
}

}  // namespace regroup::models
