#include "tests/support/torch_archive.hpp"

#include <limits>

namespace regroup::tests {
namespace {

/// A number as `width` little-endian bytes.
std::string little_endian(std::uint64_t value, std::size_t width) {
  std::string bytes;
  for (std::size_t i = 0; i < width; ++i) bytes += static_cast<char>(value >> (8 * i) & 0xffU);
  return bytes;
}

std::string u16(std::uint64_t value) {
  return little_endian(value, 2);
}

std::string u32(std::uint64_t value) {
  return little_endian(value, 4);
}

/// A field of an archive whose numbers stand in zip64 records.
std::string or_large(std::uint64_t value, std::size_t width, bool zip64) {
  return little_endian(zip64 ? std::numeric_limits<std::uint64_t>::max() : value, width);
}

std::string local_header(const std::string& name, const std::string& bytes) {
  return "PK\x03\x04" + u16(20) + u16(0) + u16(0) + u32(0) + u32(0) + u32(bytes.size()) +
         u32(bytes.size()) + u16(name.size()) + u16(0) + name;
}

std::string directory_entry(const std::string& name, const std::string& bytes, std::uint64_t at,
                            bool zip64) {
  const std::string large = zip64 ? u16(1) + u16(24) + little_endian(bytes.size(), 8) +
                                        little_endian(bytes.size(), 8) + little_endian(at, 8)
                                  : "";
  return "PK\x01\x02" + u16(20) + u16(20) + u16(0) + u16(0) + u32(0) + u32(0) +
         or_large(bytes.size(), 4, zip64) + or_large(bytes.size(), 4, zip64) + u16(name.size()) +
         u16(large.size()) + u16(0) + u16(0) + u16(0) + u32(0) + or_large(at, 4, zip64) + name +
         large;
}

std::string zip64_end(std::uint64_t entries, std::uint64_t directory_bytes, std::uint64_t at) {
  const std::uint64_t end_at = at + directory_bytes;
  return "PK\x06\x06" + little_endian(44, 8) + u16(45) + u16(45) + u32(0) + u32(0) +
         little_endian(entries, 8) + little_endian(entries, 8) + little_endian(directory_bytes, 8) +
         little_endian(at, 8) + "PK\x06\x07" + u32(0) + little_endian(end_at, 8) + u32(1);
}

}  // namespace

std::string zip_bytes(const Records& entries, bool zip64) {
  std::string archive;
  std::string directory;
  for (const auto& [name, bytes] : entries) {
    directory += directory_entry(name, bytes, archive.size(), zip64);
    archive += local_header(name, bytes) + bytes;
  }
  const std::uint64_t at = archive.size();
  archive += directory;
  if (zip64) archive += zip64_end(entries.size(), directory.size(), at);
  return archive + "PK\x05\x06" + u16(0) + u16(0) + or_large(entries.size(), 2, zip64) +
         or_large(entries.size(), 2, zip64) + or_large(directory.size(), 4, zip64) +
         or_large(at, 4, zip64) + u16(0);
}

std::string torch_archive(const std::string& pickle, const Records& storages) {
  Records records = {{"model/data.pkl", pickle}, {"model/version", "3\n"}};
  for (const auto& [key, bytes] : storages) records.emplace_back("model/data/" + key, bytes);
  return zip_bytes(records);
}

namespace pickled {

std::string program(std::string_view body) {
  return "\x80\x02" + std::string(body) + ".";
}

std::string text(std::string_view value) {
  return "X" + u32(value.size()) + std::string(value);
}

std::string number(std::int64_t value) {
  return "\x8a\x08" + little_endian(static_cast<std::uint64_t>(value), 8);
}

std::string tuple(const std::vector<std::string>& items) {
  std::string program = "(";
  for (const std::string& item : items) program += item;
  return program + "t";
}

std::string numbers(const std::vector<std::int64_t>& values) {
  std::vector<std::string> items;
  for (const std::int64_t value : values) items.push_back(number(value));
  return tuple(items);
}

std::string global(std::string_view module, std::string_view name) {
  return "c" + std::string(module) + "\n" + std::string(name) + "\n";
}

std::string call(const std::string& function, const std::vector<std::string>& arguments) {
  return function + tuple(arguments) + "R";
}

std::string storage(std::string_view storage_class, std::string_view key, std::int64_t elements) {
  return tuple({text("storage"), global("torch", storage_class), text(key), text("cpu"),
                number(elements)}) +
         "Q";
}

std::string tensor(const std::string& storage, std::int64_t offset,
                   const std::vector<std::int64_t>& shape,
                   const std::vector<std::int64_t>& strides) {
  const std::string no_hooks = call(global("collections", "OrderedDict"), {});
  const std::string no_gradient = "\x89";
  return call(global("torch._utils", "_rebuild_tensor_v2"),
              {storage, number(offset), numbers(shape), numbers(strides), no_gradient, no_hooks});
}

namespace {

std::string filled(const std::string& empty, const Records& entries) {
  std::string program = empty + "(";
  for (const auto& [name, value] : entries) program += text(name) + value;
  return program + "u";
}

}  // namespace

std::string dict(const Records& entries) {
  return filled("}", entries);
}

std::string ordered_dict(const Records& entries) {
  return filled(call(global("collections", "OrderedDict"), {}), entries);
}

}  // namespace pickled
}  // namespace regroup::tests
