#pragma once

#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace regroup::search {

/// Puts numbers, rows of numbers and text one after the other into a record of a StateStore. They
/// stand there as in memory: a record is for the machine that wrote it.
class RecordWriter {
 public:
  template <class T>
  requires std::is_trivially_copyable_v<T>
  void number(const T& value) { append(&value, sizeof(T)); }
  template <class T>
  requires std::is_trivially_copyable_v<T>
  void row(std::span<const T> values) {
    number(values.size());
    append(values.data(), values.size_bytes());
  }
  template <class T>
  void row(const std::vector<T>& values) {
    row(std::span<const T>(values));
  }
  void text(std::string_view value) { row(std::span<const char>(value)); }

  std::string bytes() && { return std::move(bytes_); }

 private:
  void append(const void* data, std::size_t size) {
    if (size > 0) bytes_.append(static_cast<const char*>(data), size);
  }

  std::string bytes_;
};

/// Reads them back in the same order. Every call throws WorkError if the record ends before.
class RecordReader {
 public:
  /// `bytes` must outlive it.
  explicit RecordReader(std::string_view bytes) : rest_(bytes) {}

  template <class T>
  requires std::is_trivially_copyable_v<T> T number() {
    T value;
    take(&value, 1, sizeof(T));
    return value;
  }
  template <class T>
  requires std::is_trivially_copyable_v<T> std::vector<T> row() {
    const auto size = number<std::size_t>();
    require(size, sizeof(T));
    std::vector<T> values(size);
    take(values.data(), size, sizeof(T));
    return values;
  }
  std::string text() {
    const std::vector<char> characters = row<char>();
    return {characters.begin(), characters.end()};
  }

 private:
  void require(std::size_t count, std::size_t size) const;
  void take(void* to, std::size_t count, std::size_t size);

  std::string_view rest_;
};

}  // namespace regroup::search
