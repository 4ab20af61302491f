#include "models/checkpoint/gguf/gguf_header.hpp"

#include <fmt/format.h>

#include <bit>
#include <fstream>
#include <set>
#include <string_view>
#include <system_error>
#include <utility>

#include "models/checkpoint/gguf/gguf_cursor.hpp"
#include "models/elements/tensor_view.hpp"
#include "models/files/mapped_file.hpp"
#include "models/files/printable.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

constexpr std::string_view kMagic = "GGUF";
constexpr std::uint32_t kLeastVersion = 2;
constexpr std::uint32_t kMostVersion = 3;
constexpr std::uint64_t kUsualAlignment = 32;
constexpr std::uint32_t kMostDimensions = 4;

[[noreturn]] void refuse(std::string what, const std::string& where, std::string expected,
                         std::string found) {
  throw InputError({.what = std::move(what),
                    .where = where,
                    .expected = std::move(expected),
                    .found = std::move(found)});
}

void require_version(GgufCursor& cursor, const std::string& where) {
  if (cursor.take_bytes(kMagic.size(), "the word GGUF") != kMagic) {
    refuse("not a GGUF file", where, "a file that begins with GGUF", "other bytes");
  }
  const auto version = cursor.take<std::uint32_t>("the version");
  if (version >= kLeastVersion && version <= kMostVersion) return;
  // A number that is large only because its bytes stand the other way round.
  const bool is_turned = version != 0 && (version & 0xffffU) == 0;
  refuse("GGUF file has a version or byte order that is not read", where,
         fmt::format("version {} or {}, little-endian", kLeastVersion, kMostVersion),
         is_turned ? "big-endian numbers" : fmt::format("version {}", version));
}

template <typename T>
std::vector<T> take_array(GgufCursor& cursor, std::uint64_t count, const std::string& key) {
  // A text takes at least the eight bytes of its length.
  constexpr std::size_t kLeast = std::is_same_v<T, std::string> ? 8 : sizeof(T);
  cursor.require_room(count, kLeast, key);
  std::vector<T> values;
  values.reserve(count);
  for (std::uint64_t i = 0; i < count; ++i) values.push_back(cursor.take<T>(key));
  return values;
}

/// One value, or as many as the file says.
template <typename T>
GgufValue take_typed(GgufCursor& cursor, bool is_array, const std::string& key) {
  if (!is_array) return cursor.take<T>(key);
  const auto count = cursor.take<std::uint64_t>(key);
  return take_array<T>(cursor, count, key);
}

constexpr std::uint32_t kArray = 9;

/// The format's numbers of the types of values.
GgufValue take_value(GgufCursor& cursor, std::uint32_t type, bool is_array,
                     const std::string& key) {
  switch (type) {
    case 0:
      return take_typed<std::uint8_t>(cursor, is_array, key);
    case 1:
      return take_typed<std::int8_t>(cursor, is_array, key);
    case 2:
      return take_typed<std::uint16_t>(cursor, is_array, key);
    case 3:
      return take_typed<std::int16_t>(cursor, is_array, key);
    case 4:
      return take_typed<std::uint32_t>(cursor, is_array, key);
    case 5:
      return take_typed<std::int32_t>(cursor, is_array, key);
    case 6:
      return take_typed<float>(cursor, is_array, key);
    case 7:
      return take_typed<bool>(cursor, is_array, key);
    case 8:
      return take_typed<std::string>(cursor, is_array, key);
    case 10:
      return take_typed<std::uint64_t>(cursor, is_array, key);
    case 11:
      return take_typed<std::int64_t>(cursor, is_array, key);
    case 12:
      return take_typed<double>(cursor, is_array, key);
    default:
      refuse("type of a GGUF file's value is not known", cursor.where_of(key),
             is_array ? "an array of numbers or texts" : "a number, a text or an array",
             type == kArray ? "an array of arrays" : fmt::format("type {}", type));
  }
}

GgufMetadata take_metadata(GgufCursor& cursor, std::uint64_t count) {
  GgufMetadata metadata;
  std::set<std::string> keys;
  for (std::uint64_t i = 0; i < count; ++i) {
    std::string key = cursor.take<std::string>(fmt::format("key {}", i));
    if (!keys.insert(key).second) {
      refuse("key stands twice in a GGUF file", cursor.where_of(key), "one value", "two");
    }
    auto type = cursor.take<std::uint32_t>(key);
    const bool is_array = type == kArray;
    if (is_array) type = cursor.take<std::uint32_t>(key);
    GgufValue value = take_value(cursor, type, is_array, key);
    metadata.push_back({std::move(key), std::move(value)});
  }
  return metadata;
}

std::uint64_t alignment_of(const GgufMetadata& metadata, const GgufCursor& cursor) {
  constexpr const char* kKey = "general.alignment";
  constexpr std::uint64_t kMost = 1 << 20;
  for (const GgufEntry& entry : metadata) {
    if (entry.key != kKey) continue;
    const auto* value = std::get_if<std::uint32_t>(&entry.value);
    if (value != nullptr && std::has_single_bit(*value) && *value <= kMost) return *value;
    refuse("alignment of a GGUF file is not valid", cursor.where_of(kKey),
           "a power of two of type uint32", value ? std::to_string(*value) : "another type");
  }
  return kUsualAlignment;
}

/// A tensor and where its bytes begin after the header.
struct Announced {
  std::string name;
  GgmlType type = GgmlType::kF32;
  std::vector<std::int64_t> shape;
  std::uint64_t offset = 0;
};

std::vector<std::int64_t> take_shape(GgufCursor& cursor, const std::string& label) {
  const auto dimensions = cursor.take<std::uint32_t>(label);
  if (dimensions == 0 || dimensions > kMostDimensions) {
    refuse("tensor has an impossible number of dimensions", cursor.where_of(label),
           fmt::format("1 to {}", kMostDimensions), std::to_string(dimensions));
  }
  std::vector<std::int64_t> shape(dimensions);
  for (auto size = shape.rbegin(); size != shape.rend(); ++size) {
    *size = cursor.take<std::int64_t>(label);
  }
  return shape;
}

Announced take_tensor(GgufCursor& cursor, std::uint64_t index) {
  Announced tensor;
  tensor.name = cursor.take<std::string>(fmt::format("tensor {}", index));
  const std::string label = tensor_label(tensor.name);
  tensor.shape = take_shape(cursor, label);
  const auto number = cursor.take<std::uint32_t>(label);
  const auto type = ggml_type_of_number(number);
  if (!type) {
    refuse("tensor has an element type that is not supported", cursor.where_of(label),
           ggml_type_names(), ggml_type_text(number));
  }
  tensor.type = *type;
  tensor.offset = cursor.take<std::uint64_t>(label);
  return tensor;
}

/// As ggml does, tensors must stand in the order of the list, each at the next multiple of the
/// alignment: so none overlaps another.
class TensorRun {
 public:
  TensorRun(std::span<const std::byte> data, std::uint64_t alignment)
      : data_(data), alignment_(alignment) {}

  GgufTensorPlace place(const Announced& tensor, const std::string& where) {
    const auto size = tensor_bytes(tensor.type, tensor.shape);
    if (!size || *size == 0) {
      refuse("tensor has an impossible size", where, "whole blocks, fewer than 2^63 bytes",
             shape_text(tensor.shape));
    }
    if (tensor.offset != next_) {
      refuse("tensor does not stand behind the one before", where,
             fmt::format("begin at {}", next_), fmt::format("begin at {}", tensor.offset));
    }
    if (next_ > data_.size() || *size > data_.size() - next_) {
      refuse("tensor reaches past the end of the file (is it cut short?)", where,
             fmt::format("at most {} bytes of tensors", data_.size()),
             fmt::format("{} bytes from {}", *size, next_));
    }
    GgufTensorPlace place{tensor.type, tensor.shape, data_.subspan(next_, *size)};
    // Within the file, so nothing overflows.
    next_ = (next_ + *size + alignment_ - 1) / alignment_ * alignment_;
    return place;
  }

 private:
  std::span<const std::byte> data_;
  std::uint64_t alignment_;
  std::uint64_t next_ = 0;
};

/// What follows the header, from the next multiple of the alignment on.
std::span<const std::byte> data_after(std::span<const std::byte> file, std::size_t header,
                                      std::uint64_t alignment) {
  const std::uint64_t begin = (header + alignment - 1) / alignment * alignment;
  return begin < file.size() ? file.subspan(begin) : std::span<const std::byte>();
}

}  // namespace

GgufHeader read_gguf_header(std::span<const std::byte> file, const std::string& where) {
  GgufCursor cursor(file, where);
  require_version(cursor, where);
  const auto tensor_count = cursor.take<std::uint64_t>("the number of tensors");
  const auto key_count = cursor.take<std::uint64_t>("the number of keys");
  GgufHeader header;
  header.metadata = take_metadata(cursor, key_count);
  const std::uint64_t alignment = alignment_of(header.metadata, cursor);
  std::vector<Announced> announced;
  for (std::uint64_t i = 0; i < tensor_count; ++i) announced.push_back(take_tensor(cursor, i));
  TensorRun run(data_after(file, cursor.at(), alignment), alignment);
  for (const Announced& tensor : announced) {
    const std::string here = cursor.where_of(tensor_label(tensor.name));
    const auto added = header.tensors.emplace(tensor.name, run.place(tensor, here));
    if (!added.second) refuse("tensor stands twice in a GGUF file", here, "one", "two");
  }
  return header;
}

GgufMetadata read_gguf_metadata(const std::filesystem::path& file) {
  const MappedFile mapped(file);
  return read_gguf_header(mapped.bytes(), file.string()).metadata;
}

bool is_gguf_file(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return false;
  if (path.extension() == ".gguf") return true;
  std::string begin(kMagic.size(), '\0');
  std::ifstream(path, std::ios::binary)
      .read(begin.data(), static_cast<std::streamsize>(begin.size()));
  return begin == kMagic;
}

}  // namespace regroup::models
