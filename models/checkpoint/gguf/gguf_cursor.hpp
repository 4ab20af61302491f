#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "models/files/printable.hpp"
#include "search/base/error.hpp"

namespace regroup::models {

/// Reads the values of a GGUF header one after another, and never past the end of the file.
class GgufCursor {
 public:
  GgufCursor(std::span<const std::byte> file, std::string where)
      : file_(file), where_(std::move(where)) {}

  /// The next value: a number as the file has it, little-endian, a bool of one byte, or a text,
  /// which follows its length. `what` names it. Throws InputError where the file ends before.
  template <typename T>
  T take(const std::string& what) {
    const std::string_view bytes = take_bytes(sizeof(T), what);
    T value;
    std::memcpy(&value, bytes.data(), sizeof value);
    return value;
  }

  std::string_view take_bytes(std::uint64_t count, const std::string& what) {
    require_room(count, 1, what);
    const auto part = file_.subspan(at_, count);
    at_ += count;
    return {reinterpret_cast<const char*>(part.data()), part.size()};
  }

  /// Throws InputError unless `count` values of at least `bytes` each can follow.
  void require_room(std::uint64_t count, std::size_t bytes, const std::string& what) const {
    if (count <= (file_.size() - at_) / bytes) return;
    throw InputError({.what = "GGUF file ends within its header (is it cut short?)",
                      .where = where_of(what),
                      .expected = fmt::format("at most {} bytes", file_.size() - at_),
                      .found = fmt::format("{} values of at least {} bytes", count, bytes)});
  }

  /// "FILE, llama.block_count", for messages.
  std::string where_of(const std::string& what) const { return where_ + ", " + printable(what); }
  /// Bytes that were read.
  std::size_t at() const { return at_; }

 private:
  std::span<const std::byte> file_;
  std::string where_;
  std::size_t at_ = 0;
};

template <>
inline bool GgufCursor::take<bool>(const std::string& what) {
  return take<std::uint8_t>(what) != 0;
}

template <>
inline std::string GgufCursor::take<std::string>(const std::string& what) {
  const auto size = take<std::uint64_t>(what);
  return std::string(take_bytes(size, what));
}

}  // namespace regroup::models
