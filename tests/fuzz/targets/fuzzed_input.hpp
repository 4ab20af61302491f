#pragma once

#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <string_view>

#include "search/base/error.hpp"

namespace regroup::tests {

/// What a fuzzer gives a reader: bytes, or a file of them in a folder of this process in memory.
class FuzzedInput {
 public:
  FuzzedInput(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}

  std::span<const std::byte> bytes() const { return std::as_bytes(std::span(data_, size_)); }
  std::string_view text() const { return {reinterpret_cast<const char*>(data_), size_}; }

  /// A folder that holds the bytes under that name; what `prepare` made stays in it.
  std::filesystem::path file(const std::string& name) const {
    const std::filesystem::path path = folder() / name;
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(data_), static_cast<std::streamsize>(size_));
    return path;
  }

  /// The folder of this process.
  static const std::filesystem::path& folder() {
    static const std::filesystem::path made = [] {
      std::filesystem::path path = "/dev/shm/regroup-fuzz-" + std::to_string(getpid());
      std::filesystem::create_directories(path);
      return path;
    }();
    return made;
  }

 private:
  const std::uint8_t* data_;
  std::size_t size_;
};

/// Runs a reader: it reads, or refuses as bad input. Anything else ends the fuzzer.
template <class Reader>
int read_or_refuse(const std::uint8_t* data, std::size_t size, const Reader& reader) {
  try {
    reader(FuzzedInput(data, size));
  } catch (const InputError&) {
    return 0;
  }
  return 0;
}

}  // namespace regroup::tests
