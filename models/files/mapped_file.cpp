#include "models/files/mapped_file.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <utility>

#include "models/files/file_descriptor.hpp"
#include "models/files/stand_in.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

std::uintptr_t address_of(const std::byte* pointer) {
  return reinterpret_cast<std::uintptr_t>(pointer);
}

}  // namespace

MappedFile::MappedFile(std::filesystem::path path) : path_(std::move(path)) {
  const OpenedFile file = open_regular_file(path_);
  if (file.size == 0) return;  // the kernel refuses maps of length 0
  void* start = ::mmap(nullptr, file.size, PROT_READ, MAP_PRIVATE, file.descriptor.get(), 0);
  if (start == MAP_FAILED) {
    throw WorkError({.what = "file cannot be mapped into memory",
                     .where = path_.string(),
                     .expected = "",
                     .found = errno_text(errno)});
  }
  map_ = {start, [size = file.size](const void* map) { ::munmap(const_cast<void*>(map), size); }};
  bytes_ = {static_cast<const std::byte*>(start), file.size};
  refuse_stand_in(bytes_, path_);
}

void MappedFile::release_pages(std::span<const std::byte> part) const {
  const std::uintptr_t map_begin = address_of(bytes_.data());
  const std::uintptr_t map_end = map_begin + bytes_.size();
  const std::uintptr_t begin = std::max(map_begin, address_of(part.data()));
  const std::uintptr_t end = std::min(map_end, address_of(part.data()) + part.size());
  if (begin >= end) return;
  // The first page is rounded outwards: a neighbour's bytes on it are read again when needed.
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const std::size_t lead = (begin - map_begin) / page * page;
  auto* start = const_cast<std::byte*>(bytes_.data()) + lead;
  ::madvise(start, end - address_of(start), MADV_DONTNEED);  // advice only: failing is harmless
}

}  // namespace regroup::models
