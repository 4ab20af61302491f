#include "models/files/stand_in.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "models/files/byte_text.hpp"
#include "models/files/little_endian.hpp"
#include "models/files/printable.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

/// What files of a kind have at a place.
struct Mark {
  std::size_t at;
  std::string_view bytes;
  std::string_view name;
};

using namespace std::string_view_literals;

constexpr std::array kMarks = {Mark{0, "PK\x03\x04", "a zip archive"},
                               Mark{0, "GGUF", "a GGUF file"},
                               Mark{0, "\x93NUMPY", "a NumPy array"},
                               Mark{0, "\x89HDF\r\n", "an HDF5 file"},
                               Mark{0, "PAR1", "a Parquet file"},
                               Mark{0, "ARROW1", "an Arrow file"},
                               Mark{0, "SQLite format 3", "an SQLite database"},
                               Mark{0, "%PDF-", "a PDF document"},
                               Mark{0, "\x1f\x8b\x08\x00"sv, "a gzip archive"},
                               Mark{0, "\x1f\x8b\x08\x08", "a gzip archive"},
                               Mark{0, "\x28\xb5\x2f\xfd", "a Zstandard archive"},
                               Mark{0, "\xfd\x37zXZ", "an xz archive"},
                               Mark{257, "ustar", "a tar archive"}};

/// A safetensors file begins with the length of its header, which is a JSON object.
bool is_safetensors(std::span<const std::byte> bytes) {
  constexpr std::size_t kLengthBytes = 8;
  if (bytes.size() < kLengthBytes + 2) return false;
  const std::string_view header = text_of(bytes.subspan(kLengthBytes, 2));
  return read_little_endian(bytes.first(kLengthBytes)) <= bytes.size() - kLengthBytes &&
         (header == "{\"" || header == "{}");
}

/// A pointer has lines of a key and a value, the version first; it is shorter than 1024 bytes.
bool is_lfs_pointer(std::string_view text) {
  constexpr std::size_t kLongest = 1024;
  return text.size() < kLongest && text.starts_with("version https://git-lfs.github.com/spec/");
}

/// The value of a line of a pointer; empty if there is no such line.
std::string_view pointer_value(std::string_view pointer, std::string_view line) {
  const std::size_t at = pointer.find(line);
  if (at == pointer.npos) return {};
  const std::string_view value = pointer.substr(at + line.size());
  return value.substr(0, value.find('\n'));
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_html(std::string_view text) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
  for (const std::string_view begin : {"<!doctype html"sv, "<html"sv}) {
    const std::string_view found = text.substr(0, begin.size());
    const bool same = std::ranges::equal(found, begin, {}, lower);
    const std::string_view next = text.substr(found.size(), 1);
    if (same && next.find_first_of("> \t\r\n") == 0) return true;
  }
  return false;
}

bool is_named_html(const std::filesystem::path& path) {
  std::string ending = path.extension().string();
  std::ranges::transform(ending, ending.begin(), lower);
  return ending == ".html" || ending == ".htm";
}

}  // namespace

void refuse_stand_in(std::span<const std::byte> bytes, const std::filesystem::path& path) {
  const std::string_view text = text_of(bytes);
  if (is_lfs_pointer(text)) {
    const std::string size = printable(pointer_value(text, "\nsize "));
    throw InputError({.what = "file is a Git LFS pointer, which stands for a file not yet fetched",
                      .where = path.string(),
                      .expected = "the file itself, as `git lfs pull` fetches it",
                      .found = "a pointer to " + (size.empty() ? "it" : size + " bytes")});
  }
  if (is_html(text) && !is_named_html(path)) {
    throw InputError({.what = "file is an HTML page, which servers send in place of a file",
                      .where = path.string(),
                      .expected = "the file itself; a page that is meant is named .html",
                      .found = "\"" + printable(text, 40) + "\""});
  }
}

std::string_view content_name(std::span<const std::byte> bytes) {
  const std::string_view text = text_of(bytes);
  for (const Mark& mark : kMarks) {
    if (text.size() > mark.at && text.substr(mark.at).starts_with(mark.bytes)) return mark.name;
  }
  return is_safetensors(bytes) ? "a safetensors file" : std::string_view();
}

}  // namespace regroup::models
