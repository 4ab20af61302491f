#include "models/gguf/gguf_writer.hpp"

#include <bit>
#include <set>
#include <string_view>

#include "models/elements/tensor_view.hpp"
#include "models/files/atomic_file.hpp"
#include "models/files/little_endian.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

constexpr std::string_view kMagic = "GGUF";
constexpr std::uint32_t kVersion = 3;
/// The format's default, which files need not state.
constexpr std::uint64_t kAlignment = 32;
constexpr std::uint32_t kArray = 9;

/// The format's numbers of value types.
constexpr std::uint32_t type_of(std::uint8_t) {
  return 0;
}
constexpr std::uint32_t type_of(std::int8_t) {
  return 1;
}
constexpr std::uint32_t type_of(std::uint16_t) {
  return 2;
}
constexpr std::uint32_t type_of(std::int16_t) {
  return 3;
}
constexpr std::uint32_t type_of(std::uint32_t) {
  return 4;
}
constexpr std::uint32_t type_of(std::int32_t) {
  return 5;
}
constexpr std::uint32_t type_of(float) {
  return 6;
}
constexpr std::uint32_t type_of(bool) {
  return 7;
}
std::uint32_t type_of(const std::string&) {
  return 8;
}
constexpr std::uint32_t type_of(std::uint64_t) {
  return 10;
}
constexpr std::uint32_t type_of(std::int64_t) {
  return 11;
}
constexpr std::uint32_t type_of(double) {
  return 12;
}

/// The part of the file before the tensors' bytes.
class Header {
 public:
  void put(std::uint8_t value) { append_little_endian(text_, value, sizeof value); }
  void put(std::uint32_t value) { append_little_endian(text_, value, sizeof value); }
  void put(std::uint64_t value) { append_little_endian(text_, value, sizeof value); }
  void put(std::uint16_t value) { append_little_endian(text_, value, sizeof value); }
  void put(std::int8_t value) { put(static_cast<std::uint8_t>(value)); }
  void put(std::int16_t value) { put(static_cast<std::uint16_t>(value)); }
  void put(std::int32_t value) { put(static_cast<std::uint32_t>(value)); }
  void put(std::int64_t value) { put(static_cast<std::uint64_t>(value)); }
  void put(float value) { put(std::bit_cast<std::uint32_t>(value)); }
  void put(double value) { put(std::bit_cast<std::uint64_t>(value)); }
  void put(bool value) { put(static_cast<std::uint8_t>(value ? 1 : 0)); }
  void put(const std::string& value) {
    put(static_cast<std::uint64_t>(value.size()));
    text_ += value;
  }

  template <typename T>
  void put_value(const T& value) {
    put(type_of(value));
    put(value);
  }
  template <typename T>
  void put_value(const std::vector<T>& values) {
    put(kArray);
    put(type_of(T{}));
    put(static_cast<std::uint64_t>(values.size()));
    for (auto&& value : values) put(static_cast<const T&>(value));
  }

  void put_magic() { text_ += kMagic; }
  std::string aligned() && {
    text_.resize((text_.size() + kAlignment - 1) / kAlignment * kAlignment);
    return std::move(text_);
  }

 private:
  std::string text_;
};

std::uint64_t size_of(const GgufTensor& tensor) {
  if (const auto bytes = tensor_bytes(tensor.type, tensor.shape)) return *bytes;
  throw WorkError({.what = "tensor to be written has an impossible size",
                   .where = tensor_label(tensor.name),
                   .found = shape_text(tensor.shape)});
}

std::uint64_t aligned_size(const GgufTensor& tensor) {
  return (size_of(tensor) + kAlignment - 1) / kAlignment * kAlignment;
}

void require_new(std::set<std::string_view>& names, const std::string& name) {
  if (names.insert(name).second) return;
  throw WorkError({.what = "name stands twice in the file to be written", .where = name});
}

void put_metadata(Header& header, const GgufMetadata& metadata) {
  std::set<std::string_view> keys;
  for (const GgufEntry& entry : metadata) {
    require_new(keys, entry.key);
    header.put(entry.key);
    std::visit([&](const auto& value) { header.put_value(value); }, entry.value);
  }
}

void put_tensors(Header& header, std::span<const GgufTensor> tensors) {
  std::set<std::string_view> names;
  std::uint64_t offset = 0;
  for (const GgufTensor& tensor : tensors) {
    require_new(names, tensor.name);
    header.put(tensor.name);
    header.put(static_cast<std::uint32_t>(tensor.shape.size()));
    for (auto size = tensor.shape.rbegin(); size != tensor.shape.rend(); ++size) {
      header.put(static_cast<std::uint64_t>(*size));
    }
    header.put(static_cast<std::uint32_t>(tensor.type));
    header.put(offset);
    offset += aligned_size(tensor);
  }
}

std::string header_text(const GgufMetadata& metadata, std::span<const GgufTensor> tensors) {
  Header header;
  header.put_magic();
  header.put(kVersion);
  header.put(static_cast<std::uint64_t>(tensors.size()));
  header.put(static_cast<std::uint64_t>(metadata.size()));
  put_metadata(header, metadata);
  put_tensors(header, tensors);
  return std::move(header).aligned();
}

}  // namespace

void write_gguf_file(const std::filesystem::path& path, const GgufMetadata& metadata,
                     std::span<const GgufTensor> tensors) {
  const std::string header = header_text(metadata, tensors);
  AtomicFile file(path);
  file.write(header);
  for (const GgufTensor& tensor : tensors) {
    std::vector<std::byte> bytes(aligned_size(tensor));
    tensor.fill(std::span(bytes).first(size_of(tensor)));
    file.write(bytes);
  }
  file.commit();
}

}  // namespace regroup::models
