#include "models/files/zip_entries.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>

#include "models/files/byte_text.hpp"
#include "models/files/little_endian.hpp"
#include "models/files/printable.hpp"
#include "search/base/error.hpp"

// Of a zip archive (PKWARE's APPNOTE 6.3, sections 4.3 and 4.5.3) the records that lead to the
// bytes: the end record or its zip64 twin → directory entries → local headers → bytes.
namespace regroup::models {
namespace {

using Bytes = std::span<const std::byte>;

/// Where a number stands in a record, and how many bytes it has.
struct Field {
  std::size_t at;
  std::size_t width;
};

/// A kind of record: what its first four bytes say, and its length without what follows it.
struct Record {
  std::string_view name;
  std::uint64_t mark;
  std::size_t bytes;
};

constexpr Field kMark{0, 4};

namespace end {
constexpr Record kRecord{"end record", 0x06054b50, 22};
constexpr Field kEntries{10, 2};
constexpr Field kDirectoryBytes{12, 4};
constexpr Field kDirectoryAt{16, 4};
constexpr Field kCommentBytes{20, 2};
}  // namespace end

namespace locator {
constexpr Record kRecord{"zip64 locator", 0x07064b50, 20};
constexpr Field kEndAt{8, 8};
}  // namespace locator

namespace large_end {
constexpr Record kRecord{"zip64 end record", 0x06064b50, 56};
constexpr Field kEntries{32, 8};
constexpr Field kDirectoryBytes{40, 8};
constexpr Field kDirectoryAt{48, 8};
}  // namespace large_end

namespace entry {
constexpr Record kRecord{"directory entry", 0x02014b50, 46};
constexpr Field kFlags{8, 2};
constexpr Field kMethod{10, 2};
constexpr Field kStoredBytes{20, 4};
constexpr Field kContentBytes{24, 4};
constexpr Field kNameBytes{28, 2};
constexpr Field kExtraBytes{30, 2};
constexpr Field kCommentBytes{32, 2};
constexpr Field kHeaderAt{42, 4};
}  // namespace entry

namespace header {
constexpr Record kRecord{"local header", 0x04034b50, 30};
constexpr Field kNameBytes{26, 2};
constexpr Field kExtraBytes{28, 2};
}  // namespace header

/// What a field holds whose number is too large for it and stands in a zip64 record.
constexpr std::uint64_t too_large(Field field) {
  return (std::uint64_t{1} << (8 * field.width)) - 1;
}

std::uint64_t number(Bytes record, Field field) {
  return read_little_endian(record.subspan(field.at, field.width));
}

struct Directory {
  std::uint64_t entries;
  std::uint64_t bytes;
  std::uint64_t at;
};

class ZipReader {
 public:
  ZipReader(Bytes archive, const std::string& where) : archive_(archive), where_(where) {}

  ZipEntries entries() const {
    const Directory directory = find_directory();
    Bytes rest = part(directory.at, directory.bytes);
    ZipEntries entries;
    for (std::uint64_t i = 0; i < directory.entries; ++i) {
      const auto [name, bytes] = take_entry(rest);
      if (!entries.emplace(name, bytes).second) {
        refuse("zip archive has two entries of one name", "distinct names", printable(name));
      }
    }
    return entries;
  }

 private:
  [[noreturn]] void refuse(std::string what, std::string expected, std::string found) const {
    throw InputError({.what = std::move(what),
                      .where = where_,
                      .expected = std::move(expected),
                      .found = std::move(found)});
  }

  /// `count` bytes of the archive from `at`.
  Bytes part(std::uint64_t at, std::uint64_t count) const {
    if (at > archive_.size() || count > archive_.size() - at) {
      refuse("zip archive reaches past the end of the file (is it cut short?)",
             fmt::format("{} bytes from byte {}", count, at),
             fmt::format("{} bytes in all", archive_.size()));
    }
    return archive_.subspan(at, count);
  }

  /// Takes `count` bytes off the front of a part of the directory.
  Bytes take(Bytes& from, std::uint64_t count) const {
    if (count > from.size()) {
      refuse("zip archive's directory ends too early", fmt::format("{} bytes more", count),
             fmt::format("{} bytes", from.size()));
    }
    const Bytes taken = from.first(count);
    from = from.subspan(count);
    return taken;
  }

  void require_mark(Bytes bytes, const Record& record) const {
    if (number(bytes, kMark) == record.mark) return;
    refuse("zip archive is broken",
           fmt::format("a {}, which begins with {:08x}", record.name, record.mark),
           fmt::format("{:08x}", number(bytes, kMark)));
  }

  Bytes record_at(std::uint64_t at, const Record& record) const {
    const Bytes bytes = part(at, record.bytes);
    require_mark(bytes, record);
    return bytes;
  }

  /// Where the end record begins: the file ends with it, but for a comment whose length it holds.
  std::uint64_t find_end() const {
    const std::size_t longest = end::kRecord.bytes + too_large(end::kCommentBytes);
    for (std::size_t length = end::kRecord.bytes; length <= std::min(archive_.size(), longest);
         ++length) {
      const Bytes tail = archive_.last(length);
      if (number(tail, kMark) == end::kRecord.mark &&
          number(tail, end::kCommentBytes) == length - end::kRecord.bytes) {
        return archive_.size() - length;
      }
    }
    refuse_without_end();
  }

  [[noreturn]] void refuse_without_end() const {
    constexpr std::size_t kQuoted = 8;
    const std::string_view begin = text_of(archive_.first(std::min(kQuoted, archive_.size())));
    if (begin.starts_with("PK\x03\x04")) {
      refuse("zip archive has no directory (is the file cut short?)", "an end record", "none");
    }
    refuse("not a zip archive", "a file that begins with \"PK\"",
           begin.empty() ? "an empty file" : "\"" + printable(begin) + "\"");
  }

  Directory find_directory() const {
    const std::uint64_t end_at = find_end();
    const Bytes record = part(end_at, end::kRecord.bytes);
    const Directory directory{number(record, end::kEntries), number(record, end::kDirectoryBytes),
                              number(record, end::kDirectoryAt)};
    const bool large = directory.entries == too_large(end::kEntries) ||
                       directory.bytes == too_large(end::kDirectoryBytes) ||
                       directory.at == too_large(end::kDirectoryAt);
    return large ? find_large_directory(end_at) : directory;
  }

  Directory find_large_directory(std::uint64_t end_at) const {
    if (end_at < locator::kRecord.bytes) refuse_without_end();
    const Bytes locator = record_at(end_at - locator::kRecord.bytes, locator::kRecord);
    const Bytes end = record_at(number(locator, locator::kEndAt), large_end::kRecord);
    return {number(end, large_end::kEntries), number(end, large_end::kDirectoryBytes),
            number(end, large_end::kDirectoryAt)};
  }

  /// Takes the next entry off the directory: its name and its bytes.
  std::pair<std::string, Bytes> take_entry(Bytes& directory) const {
    const Bytes record = take(directory, entry::kRecord.bytes);
    require_mark(record, entry::kRecord);
    std::string name(text_of(take(directory, number(record, entry::kNameBytes))));
    Bytes large = large_numbers(take(directory, number(record, entry::kExtraBytes)));
    take(directory, number(record, entry::kCommentBytes));
    require_stored(record, name);
    // The zip64 numbers stand in this order.
    const std::uint64_t bytes = number_or_large(record, entry::kContentBytes, large);
    number_or_large(record, entry::kStoredBytes, large);
    const std::uint64_t at = number_or_large(record, entry::kHeaderAt, large);
    return {std::move(name), content(at, bytes)};
  }

  void require_stored(Bytes record, const std::string& name) const {
    constexpr std::uint64_t kEncrypted = 1;
    const bool encrypted = (number(record, entry::kFlags) & kEncrypted) != 0;
    if (!encrypted && number(record, entry::kMethod) == 0) return;
    refuse("zip archive does not store its entries as they are", "no compression or encryption",
           printable(name) + (encrypted ? ", encrypted" : ", compressed"));
  }

  /// The body of the zip64 field among an entry's extra fields, empty where there is none.
  Bytes large_numbers(Bytes extra) const {
    constexpr Field kId{0, 2};
    constexpr Field kBytes{2, 2};
    constexpr std::uint64_t kZip64 = 1;
    while (!extra.empty()) {
      const Bytes head = take(extra, 4);
      const Bytes body = take(extra, number(head, kBytes));
      if (number(head, kId) == kZip64) return body;
    }
    return {};
  }

  /// The number of a field or, where it is too large for it, the next of the zip64 numbers.
  std::uint64_t number_or_large(Bytes record, Field field, Bytes& large) const {
    const std::uint64_t value = number(record, field);
    return value == too_large(field) ? read_little_endian(take(large, 8)) : value;
  }

  /// The bytes behind the local header at `at`.
  Bytes content(std::uint64_t at, std::uint64_t bytes) const {
    const Bytes local = record_at(at, header::kRecord);
    const std::uint64_t skipped = header::kRecord.bytes + number(local, header::kNameBytes) +
                                  number(local, header::kExtraBytes);
    return part(at + skipped, bytes);
  }

  Bytes archive_;
  const std::string& where_;
};

}  // namespace

ZipEntries read_zip_entries(std::span<const std::byte> archive, const std::string& where) {
  return ZipReader(archive, where).entries();
}

}  // namespace regroup::models
