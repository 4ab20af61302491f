#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace regroup::models {

/// A field of a message in Protocol Buffers' wire format.
struct ProtobufField {
  int number = 0;
  std::uint64_t value = 0;      ///< of a number; a float's bits
  std::string_view bytes = {};  ///< of a text or a message
};

/// The fields of a message in the order of the file. Throws WorkError for bytes that are no
/// message.
std::vector<ProtobufField> protobuf_fields(std::string_view message);

}  // namespace regroup::models
