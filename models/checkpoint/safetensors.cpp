#include "models/checkpoint/safetensors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "models/checkpoint/safetensors_header.hpp"
#include "models/files/byte_text.hpp"
#include "models/files/json_fields.hpp"
#include "models/files/json_file.hpp"
#include "models/files/little_endian.hpp"
#include "models/files/printable.hpp"
#include "models/files/stand_in.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

using Json = nlohmann::json;

constexpr auto kMaxInt = std::numeric_limits<std::int64_t>::max();

/// A safetensors file cut into its two parts.
struct Sections {
  std::string_view header;
  std::span<const std::byte> data;
};

/// Another kind of file under such a name, or what a server said in place of it.
void refuse_unless_safetensors(std::span<const std::byte> bytes, const std::string& where) {
  constexpr std::size_t kQuoted = 40;
  const std::string_view name = content_name(bytes);
  // Read as the header's length, letters are more bytes than any file has.
  const bool is_text = bytes.size() >= kHeaderLengthBytes &&
                       std::ranges::all_of(text_of(bytes.first(kHeaderLengthBytes)), [](char c) {
                         return (c >= ' ' && c <= '~') || c == '\n' || c == '\r' || c == '\t';
                       });
  if (name == "a safetensors file" || (name.empty() && !is_text)) return;
  throw InputError({.what = "not a safetensors file",
                    .where = where,
                    .expected = "a safetensors file, as its name says",
                    .found = name.empty() ? "text: \"" + printable(text_of(bytes), kQuoted) + "\""
                                          : std::string(name)});
}

Sections split(std::span<const std::byte> bytes, const std::string& where) {
  refuse_unless_safetensors(bytes, where);
  if (bytes.size() < kHeaderLengthBytes) {
    throw InputError({.what = "file is too short for a safetensors file",
                      .where = where,
                      .expected = "at least 8 bytes, the length of the header",
                      .found = fmt::format("{} bytes", bytes.size())});
  }
  const std::uint64_t length = read_little_endian(bytes.first(kHeaderLengthBytes));
  if (length > kMaxJsonBytes) {
    throw InputError({.what = "safetensors header is too long",
                      .where = where,
                      .expected = fmt::format("at most {} bytes", kMaxJsonBytes),
                      .found = fmt::format("{} bytes", length)});
  }
  const auto rest = bytes.subspan(kHeaderLengthBytes);
  if (length > rest.size()) {
    throw InputError({.what = "safetensors header reaches past the end of the file",
                      .where = where,
                      .expected = fmt::format("a header of at most {} bytes", rest.size()),
                      .found = fmt::format("{} bytes", length)});
  }
  return {text_of(rest.first(length)), rest.subspan(length)};
}

std::map<std::string, std::string> read_metadata(const Json& header, const std::string& where) {
  std::map<std::string, std::string> metadata;
  const Json* object = optional_object(header, kMetadataKey, where);
  if (object == nullptr) return metadata;
  const std::string place = field_of(where, kMetadataKey);
  for (const auto& [key, value] : object->items()) {
    if (!value.is_string()) {
      throw InputError({.what = "safetensors metadata is not text",
                        .where = field_of(place, key),
                        .expected = "a string",
                        .found = describe_json(value)});
    }
    metadata.emplace(key, value.get<std::string>());
  }
  return metadata;
}

DType read_dtype(const Json& entry, const std::string& where) {
  const std::string name = required_string(entry, "dtype", where);
  if (const auto dtype = dtype_from_safetensors(name)) return *dtype;
  throw InputError({.what = "unknown element type",
                    .where = field_of(where, "dtype"),
                    .expected = "a safetensors type such as F32, BF16 or F16",
                    .found = "\"" + printable(name) + "\""});
}

std::vector<std::int64_t> read_ints(const Json& entry, std::string_view key,
                                    const std::string& where) {
  std::vector<std::int64_t> numbers;
  const std::string place = field_of(where, key);
  for (const Json& value : required_array(entry, key, where)) {
    numbers.push_back(checked_int(value, place, 0, kMaxInt));
  }
  return numbers;
}

std::span<const std::byte> read_bytes(const Json& entry, const std::string& where,
                                      std::span<const std::byte> data) {
  const auto offsets = read_ints(entry, "data_offsets", where);
  const std::string place = field_of(where, "data_offsets");
  if (offsets.size() != 2 || offsets[0] > offsets[1]) {
    throw InputError({.what = "tensor has no valid place in the file",
                      .where = place,
                      .expected = "[begin, end] with begin <= end",
                      .found = shape_text(offsets)});
  }
  const auto begin = static_cast<std::uint64_t>(offsets[0]);
  const auto end = static_cast<std::uint64_t>(offsets[1]);
  if (end > data.size()) {
    throw InputError({.what = "tensor reaches past the end of the file (is it cut short?)",
                      .where = place,
                      .expected = fmt::format("at most {} bytes of tensors", data.size()),
                      .found = fmt::format("end at {}", end)});
  }
  return data.subspan(begin, end - begin);
}

TensorView read_tensor(const std::string& name, const Json& entry,
                       const std::filesystem::path& path, std::span<const std::byte> data) {
  TensorView tensor{.name = name, .dtype = {}, .shape = {}, .bytes = {}, .file = path};
  const std::string where = tensor.where();
  require_object(entry, where);
  tensor.dtype = read_dtype(entry, where);
  tensor.shape = read_ints(entry, "shape", where);
  const auto size = tensor_bytes(tensor.dtype, tensor.shape);
  if (!size) {
    throw InputError({.what = "tensor has an impossible size",
                      .where = field_of(where, "shape"),
                      .expected = "a whole number of bytes below 2^63",
                      .found = fmt::format("{} elements of {}", shape_text(tensor.shape),
                                           safetensors_name(tensor.dtype))});
  }
  tensor.bytes = read_bytes(entry, where, data);
  if (tensor.bytes.size() != *size) {
    throw InputError(
        {.what = "tensor's length does not fit its shape",
         .where = where,
         .expected = fmt::format("{} bytes for {} elements of {}", *size, shape_text(tensor.shape),
                                 safetensors_name(tensor.dtype)),
         .found = fmt::format("{} bytes", tensor.bytes.size())});
  }
  return tensor;
}

/// Throws unless the tensors fill the data section exactly: a file with gaps or overlaps could hide
/// data or mean different things to different readers.
void require_tiling(const std::vector<TensorView>& tensors, std::span<const std::byte> data,
                    const std::string& where) {
  std::vector<const TensorView*> order;
  for (const TensorView& tensor : tensors) order.push_back(&tensor);
  const auto place = [&](const TensorView* t) {
    const auto begin = t->bytes.data() - data.data();
    return std::pair(begin, t->bytes.size());
  };
  std::sort(order.begin(), order.end(),
            [&](const auto* a, const auto* b) { return place(a) < place(b); });
  std::ptrdiff_t end = 0;
  for (const TensorView* tensor : order) {
    const auto [begin, size] = place(tensor);
    if (begin != end) {
      throw InputError({.what = begin < end ? "tensors overlap in the file"
                                            : "bytes between tensors belong to none",
                        .where = tensor->where(),
                        .expected = fmt::format("begin at {}", end),
                        .found = fmt::format("begin at {}", begin)});
    }
    end = begin + static_cast<std::ptrdiff_t>(size);
  }
  if (static_cast<std::size_t>(end) != data.size()) {
    throw InputError({.what = "file goes on after its last tensor",
                      .where = where,
                      .expected = fmt::format("{} bytes of tensors", end),
                      .found = fmt::format("{} bytes", data.size())});
  }
}

}  // namespace

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path) : WeightFile(path) {
  const std::string where = path.string();
  const Sections sections = split(file_bytes(), where);
  if (!sections.header.starts_with('{')) {
    throw InputError({.what = "not a safetensors file",
                      .where = where,
                      .expected = "a header that begins with {",
                      .found = "\"" + printable(sections.header, 8) + "\""});
  }
  const Json header =
      parse_json(sections.header, where + ", safetensors header", DuplicateKeys::kRefuse);
  metadata_ = read_metadata(header, where);
  std::vector<TensorView> tensors;
  for (const auto& [name, entry] : header.items()) {
    if (name != kMetadataKey) tensors.push_back(read_tensor(name, entry, path, sections.data));
  }
  require_tiling(tensors, sections.data, where);
  // The JSON object kept its keys in ascending order.
  set_tensors(std::move(tensors));
}

}  // namespace regroup::models
