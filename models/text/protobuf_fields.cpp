#include "models/text/protobuf_fields.hpp"

#include <span>

#include "models/files/little_endian.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

[[noreturn]] void refuse() {
  throw WorkError({.what = "message in Protocol Buffers' format is broken"});
}

std::string_view take(std::string_view& text, std::uint64_t size) {
  if (size > text.size()) refuse();
  const std::string_view taken = text.substr(0, size);
  text.remove_prefix(size);
  return taken;
}

/// Seven bits a byte, the lowest first, for as long as the eighth is set.
std::uint64_t take_varint(std::string_view& text) {
  constexpr unsigned kBits = 64;
  constexpr unsigned kBitsOfByte = 7;
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < kBits; shift += kBitsOfByte) {
    const auto byte = static_cast<unsigned char>(take(text, 1)[0]);
    value |= std::uint64_t{byte & 0x7fU} << shift;
    if (byte < 0x80) return value;
  }
  refuse();
}

std::uint64_t take_fixed(std::string_view& text, std::size_t size) {
  const std::string_view taken = take(text, size);
  return read_little_endian(std::as_bytes(std::span(taken.data(), taken.size())));
}

}  // namespace

std::vector<ProtobufField> protobuf_fields(std::string_view message) {
  enum Wire : std::uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };
  std::vector<ProtobufField> fields;
  while (!message.empty()) {
    const std::uint64_t tag = take_varint(message);
    ProtobufField& field = fields.emplace_back();
    field.number = static_cast<int>(tag >> 3U);
    switch (tag & 7U) {
      case kVarint:
        field.value = take_varint(message);
        break;
      case kFixed64:
        field.value = take_fixed(message, sizeof(std::uint64_t));
        break;
      case kBytes:
        field.bytes = take(message, take_varint(message));
        break;
      case kFixed32:
        field.value = take_fixed(message, sizeof(std::uint32_t));
        break;
      default:
        refuse();
    }
  }
  return fields;
}

}  // namespace regroup::models
