#include "models/files/scratch.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "models/files/file_descriptor.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

/// What small parts share: a process may have only so many maps.
constexpr std::size_t kBlockBytes = std::size_t{64} << 20;
constexpr std::size_t kAlignment = 64;

FileDescriptor nameless_file(const std::filesystem::path& directory) {
  std::string name = (directory / ".regroup-scratch-XXXXXX").string();
  FileDescriptor file(::mkostemp(name.data(), O_CLOEXEC));
  if (!file.is_open()) {
    throw InputError({.what = "no scratch file can be made",
                      .where = directory.string(),
                      .expected = "a directory that can be written, or --scratch with another",
                      .found = errno_text(errno)});
  }
  ::unlink(name.c_str());
  return file;
}

}  // namespace

/// One file and its map.
struct Scratch::Block {
  Block(const std::filesystem::path& directory, std::size_t size) : bytes(size) {
    const FileDescriptor file = nameless_file(directory);
    const int error = ::posix_fallocate(file.get(), 0, static_cast<off_t>(bytes));
    if (error != 0) fail(directory, error);
    void* map = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
    if (map == MAP_FAILED) fail(directory, errno);
    start = static_cast<std::byte*>(map);
  }
  ~Block() { ::munmap(start, bytes); }
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

  [[noreturn]] void fail(const std::filesystem::path& directory, int error) const {
    throw WorkError(
        {.what = "scratch does not fit on the disk",
         .where = directory.string(),
         .expected = std::to_string(bytes >> 20) + " MiB more, or --scratch with another directory",
         .found = errno_text(error)});
  }

  std::byte* start = nullptr;
  std::size_t bytes;
  std::size_t used = 0;
};

/// The blocks that are in use; each goes with the last of its parts.
class Scratch::Blocks : public std::enable_shared_from_this<Scratch::Blocks> {
 public:
  std::shared_ptr<std::byte> allocate(const std::filesystem::path& directory, std::size_t bytes) {
    const std::size_t room = (bytes + kAlignment - 1) / kAlignment * kAlignment;
    const std::lock_guard lock(mutex_);
    if (room > kBlockBytes / 4) {
      const std::shared_ptr<Block> own = make(directory, room);
      return {own, own->start};
    }
    if (!shared_ || shared_->used + room > shared_->bytes) shared_ = make(directory, kBlockBytes);
    std::byte* part = shared_->start + shared_->used;
    shared_->used += room;
    return {shared_, part};
  }

  bool holds(const std::byte* address) {
    const std::lock_guard lock(mutex_);
    const auto after = ends_.upper_bound(address);
    return after != ends_.end() && after->second <= address;
  }

  /// No more parts of the block that small ones share.
  void close() {
    std::shared_ptr<Block> shared;
    const std::lock_guard lock(mutex_);
    shared.swap(shared_);
  }

 private:
  std::shared_ptr<Block> make(const std::filesystem::path& directory, std::size_t bytes) {
    auto block = std::make_unique<Block>(directory, bytes);
    ends_[block->start + block->bytes] = block->start;
    return {block.release(), [blocks = weak_from_this()](Block* gone) {
              if (const auto all = blocks.lock()) all->forget(*gone);
              delete gone;
            }};
  }

  void forget(const Block& block) {
    const std::lock_guard lock(mutex_);
    ends_.erase(block.start + block.bytes);
  }

  std::recursive_mutex mutex_;  // a block may go while another takes its place
  std::shared_ptr<Block> shared_;
  std::map<const std::byte*, const std::byte*> ends_;  // of each block, with its start
};

Scratch::Scratch(std::filesystem::path directory, std::size_t smallest)
    : directory_(std::move(directory)), smallest_(smallest), blocks_(std::make_shared<Blocks>()) {
  nameless_file(directory_);
}

Scratch::~Scratch() {
  blocks_->close();
}

std::shared_ptr<std::byte> Scratch::allocate(std::size_t bytes) const {
  return blocks_->allocate(directory_, bytes);
}

bool Scratch::holds(const void* address) const {
  return blocks_->holds(static_cast<const std::byte*>(address));
}

}  // namespace regroup::models
