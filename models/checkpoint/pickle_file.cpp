#include "models/checkpoint/pickle_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "models/checkpoint/pickle/state_dict.hpp"
#include "models/elements/strided_bytes.hpp"
#include "models/files/byte_text.hpp"
#include "models/files/printable.hpp"
#include "models/files/stand_in.hpp"
#include "models/files/zip_entries.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

using Bytes = std::span<const std::byte>;

constexpr std::string_view kPickleName = "/data.pkl";

[[noreturn]] void fail(std::string what, const std::string& where, std::string expected,
                       std::string found) {
  throw InputError({.what = std::move(what),
                    .where = where,
                    .expected = std::move(expected),
                    .found = std::move(found)});
}

/// Before PyTorch 1.6 a file began with a pickle, of any protocol, of a magic number; before 0.1.10
/// it was a tar archive.
bool has_old_format(Bytes file) {
  constexpr std::size_t kWithin = 32;
  constexpr std::string_view kMagicNumber = "\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";
  const std::string_view begin = text_of(file.first(std::min(file.size(), kWithin)));
  return begin.starts_with('\x80') && begin.find(kMagicNumber) != begin.npos;
}

/// A zip archive is what is read; what else it is, it is called.
void refuse_unless_archive(Bytes file, const std::string& where) {
  constexpr std::string_view kZip = "a zip archive";
  const std::string_view name = content_name(file);
  const bool is_old_tar =
      name == "a tar archive" && text_of(file).find("sys_info") != std::string::npos;
  if (is_old_tar || has_old_format(file)) {
    fail("weight file has the format from before PyTorch 1.6, which is not read", where,
         "a zip archive of torch.save, or safetensors",
         "the old format; load and save it with a newer PyTorch");
  }
  if (name == kZip || (name.empty() && !text_of(file).starts_with('\x80'))) return;
  fail("weight file is none of torch.save", where, "a zip archive of torch.save",
       name.empty() ? "a pickle alone" : std::string(name));
}

/// The archive: every record stands in one folder, whose name torch.save takes from the file's.
class Archive {
 public:
  Archive(Bytes file, std::string where)
      : where_(std::move(where)), entries_(read_zip_entries(file, where_)) {
    for (const auto& [name, bytes] : entries_) {
      if (name.find('/') == name.rfind('/') && name.ends_with(kPickleName)) {
        folder_ = name.substr(0, name.size() - kPickleName.size() + 1);
        return;
      }
    }
    fail("zip archive is not one of torch.save", where_, "a record data.pkl",
         fmt::format("{} other records", entries_.size()));
  }

  const std::string& where() const { return where_; }

  /// The bytes of a record, or null.
  const Bytes* find(std::string_view name) const {
    const auto found = entries_.find(folder_ + std::string(name));
    return found == entries_.end() ? nullptr : &found->second;
  }

 private:
  std::string where_;
  ZipEntries entries_;
  std::string folder_;  // with the slash
};

void require_little_endian(const Archive& archive) {
  const Bytes* order = archive.find("byteorder");
  if (order == nullptr || text_of(*order) == "little") return;
  fail("weight file has numbers of another byte order", archive.where(), "little",
       printable(text_of(*order)));
}

/// Makes views of the tensors of one archive; what must be copied for that is added to `copies`.
class TensorReader {
 public:
  TensorReader(const Archive& archive, std::filesystem::path path, std::size_t max_copied,
               std::vector<std::vector<std::byte>>& copies)
      : archive_(archive), path_(std::move(path)), room_(max_copied), copies_(copies) {}

  TensorView view(const std::string& name, const PickledTensor& tensor) {
    TensorView view{
        .name = name, .dtype = tensor.dtype, .shape = tensor.shape, .bytes = {}, .file = path_};
    const std::size_t size = require_size(view);
    const Bytes covered = covered_bytes(tensor, view.where());
    const StridedLayout layout{tensor.shape, tensor.strides};
    view.bytes =
        is_row_major(layout) ? covered : copy(layout, byte_width(tensor.dtype), covered, size);
    return view;
  }

 private:
  /// The tensor's size in bytes.
  static std::size_t require_size(const TensorView& view) {
    const auto size = tensor_bytes(view.dtype, view.shape);
    if (!size || bit_width(view.dtype) % 8 != 0) {
      fail("tensor has an impossible size", view.where(), "whole bytes, fewer than 2^63",
           fmt::format("{} elements of {}", shape_text(view.shape), safetensors_name(view.dtype)));
    }
    return *size;
  }

  /// The record of a storage, which must be as long as the pickle says.
  Bytes record(const PickledStorage& storage, const std::string& where) const {
    const std::string name = "data/" + std::string(storage.key);
    const Bytes* bytes = archive_.find(name);
    const std::size_t width = storage.dtype ? byte_width(*storage.dtype) : 1;
    const auto expected = static_cast<std::uint64_t>(storage.elements);
    if (bytes == nullptr || bytes->size() % width != 0 || bytes->size() / width != expected) {
      fail("tensor's memory is not in the file as its pickle says", where,
           fmt::format("record {} of {} elements of {} bytes", printable(name), storage.elements,
                       width),
           bytes == nullptr ? "no such record" : fmt::format("{} bytes", bytes->size()));
    }
    return *bytes;
  }

  /// The part of its record from the tensor's first element to its last.
  Bytes covered_bytes(const PickledTensor& tensor, const std::string& where) const {
    const Bytes bytes = record(tensor.storage, where);
    const std::size_t width = byte_width(tensor.dtype);
    const auto elements = static_cast<std::int64_t>(bytes.size() / width);
    const auto covered = reach({tensor.shape, tensor.strides});
    if (!covered || tensor.offset < 0 || tensor.offset > elements ||
        *covered > elements - tensor.offset) {
      fail("tensor lies outside its memory", where, fmt::format("at most {} elements", elements),
           fmt::format("{} elements, strides {}, from element {}", shape_text(tensor.shape),
                       shape_text(tensor.strides), tensor.offset));
    }
    return bytes.subspan(static_cast<std::size_t>(tensor.offset) * width,
                         static_cast<std::size_t>(*covered) * width);
  }

  Bytes copy(const StridedLayout& layout, std::size_t width, Bytes bytes, std::size_t size) {
    if (size > room_) {
      fail("tensors that are not in row-major order are larger than their file", path_.string(),
           "at most the file's size", fmt::format("{} bytes more", size - room_));
    }
    room_ -= size;
    copies_.emplace_back(size);
    copy_row_major(layout, width, bytes, copies_.back());
    return copies_.back();
  }

  const Archive& archive_;
  std::filesystem::path path_;
  std::size_t room_;  // bytes that may still be copied
  std::vector<std::vector<std::byte>>& copies_;
};

}  // namespace

PickleFile::PickleFile(const std::filesystem::path& path) : WeightFile(path) {
  refuse_unless_archive(file_bytes(), path.string());
  const Archive archive(file_bytes(), path.string());
  require_little_endian(archive);
  const StateDict state = read_state_dict(*archive.find(kPickleName.substr(1)),
                                          path.string() + std::string(", data.pkl"));
  TensorReader reader(archive, path, file_bytes().size(), copies_);
  std::vector<TensorView> tensors;
  for (const auto& [name, tensor] : state) tensors.push_back(reader.view(name, tensor));
  set_tensors(std::move(tensors));
}

}  // namespace regroup::models
