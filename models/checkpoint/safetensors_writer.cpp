#include "models/checkpoint/safetensors_writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>
#include <system_error>
#include <utility>

#include "models/checkpoint/safetensors_header.hpp"
#include "models/elements/tensor_view.hpp"
#include "models/files/atomic_file.hpp"
#include "models/files/little_endian.hpp"
#include "models/files/printable.hpp"
#include "models/files/sha256.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

using Json = nlohmann::json;
using Tensors = std::vector<const PlannedTensor*>;

[[noreturn]] void refuse(const PlannedTensor& tensor, const std::string& what,
                         const std::string& found = {}) {
  throw WorkError(
      {.what = what, .where = tensor_label(tensor.name), .expected = "", .found = found});
}

std::uint64_t size_of(const PlannedTensor& tensor) {
  if (const auto bytes = tensor_bytes(tensor.dtype, tensor.shape)) return *bytes;
  refuse(tensor, "tensor to be written has an impossible size", shape_text(tensor.shape));
}

/// A JSON string literal. Throws WorkError when the text is not UTF-8, which JSON cannot hold.
std::string quoted(const std::string& text) {
  try {
    return Json(text).dump();
  } catch (const Json::exception&) {
    throw WorkError({.what = "text to be written is not UTF-8", .where = printable(text)});
  }
}

Tensors checked(std::span<const PlannedTensor> plan) {
  Tensors tensors;
  std::set<std::string_view> names;
  for (const PlannedTensor& tensor : plan) {
    if (!names.insert(tensor.name).second) refuse(tensor, "tensor to be written stands twice");
    if (tensor.name == kMetadataKey) refuse(tensor, "tensor to be written has a reserved name");
    size_of(tensor);
    quoted(tensor.name);
    tensors.push_back(&tensor);
  }
  return tensors;
}

/// The reference implementation's order: wide elements first, so that all are aligned.
Tensors in_file_order(Tensors tensors) {
  std::sort(tensors.begin(), tensors.end(), [](const PlannedTensor* a, const PlannedTensor* b) {
    return a->dtype != b->dtype ? a->dtype > b->dtype : a->name < b->name;
  });
  return tensors;
}

std::string metadata_text(const std::map<std::string, std::string>& metadata) {
  std::string text;
  for (const auto& [key, value] : metadata) {
    text += (text.empty() ? "{" : ",") + quoted(key) + ":" + quoted(value);
  }
  return text + "}";
}

/// The header's JSON text, `__metadata__` first, then the tensors as they stand in the file.
std::string header_text(const Tensors& tensors, const SafetensorsOptions& options) {
  std::string text = "{";
  const auto add = [&text](const std::string& key, const std::string& value) {
    text += (text.size() > 1 ? "," : "") + quoted(key) + ":" + value;
  };
  if (!options.metadata.empty()) add(std::string(kMetadataKey), metadata_text(options.metadata));
  std::uint64_t offset = 0;
  for (const PlannedTensor* tensor : tensors) {
    const std::uint64_t end = offset + size_of(*tensor);
    add(tensor->name,
        fmt::format(R"({{"dtype":"{}","shape":{},"data_offsets":[{},{}]}})",
                    safetensors_name(tensor->dtype), Json(tensor->shape).dump(), offset, end));
    offset = end;
  }
  text += "}";
  const std::size_t padded = (text.size() + kHeaderAlignment - 1) / kHeaderAlignment;
  text.resize(padded * kHeaderAlignment, ' ');
  return text;
}

std::vector<std::byte> made(const PlannedTensor& tensor) {
  std::vector<std::byte> bytes(size_of(tensor));
  if (!bytes.empty()) tensor.fill(bytes);
  return bytes;
}

/// Writes a complete file under its temporary name.
AtomicFile write_partial(const std::filesystem::path& path, const Tensors& tensors,
                         const SafetensorsOptions& options) {
  const std::string header = header_text(tensors, options);
  AtomicFile file(path, options.temporary_directory);
  const auto write = [&](const auto& bytes) {
    if (options.digest != nullptr) options.digest->update(bytes);
    file.write(bytes);
  };
  std::string length;
  append_little_endian(length, header.size(), kHeaderLengthBytes);
  write(length);
  write(header);
  for (const PlannedTensor* tensor : tensors) write(made(*tensor));
  file.close();
  return file;
}

std::vector<Tensors> split_into_shards(const Tensors& tensors, std::uint64_t max_bytes) {
  std::vector<Tensors> shards(1);
  std::uint64_t used = 0;
  for (const PlannedTensor* tensor : tensors) {
    const std::uint64_t size = size_of(*tensor);
    if (!shards.back().empty() && (used > max_bytes || size > max_bytes - used)) {
      shards.emplace_back();
      used = 0;
    }
    shards.back().push_back(tensor);
    used += size;
  }
  return shards;
}

std::string shard_name(std::size_t index, std::size_t count) {
  return count == 1 ? "model.safetensors"
                    : fmt::format("model-{:05}-of-{:05}.safetensors", index + 1, count);
}

std::string index_text(const std::vector<Tensors>& shards) {
  std::uint64_t total = 0;
  Json weight_map = Json::object();
  for (std::size_t i = 0; i < shards.size(); ++i) {
    for (const PlannedTensor* tensor : shards[i]) {
      total += size_of(*tensor);
      weight_map[tensor->name] = shard_name(i, shards.size());
    }
  }
  const Json index = {{"metadata", {{"total_size", total}}}, {"weight_map", weight_map}};
  return index.dump(2) + "\n";
}

/// Renames in order; when one fails, takes those before it away again.
void commit_all(std::vector<AtomicFile>& files) {
  std::size_t done = 0;
  try {
    for (; done < files.size(); ++done) files[done].commit();
  } catch (...) {
    std::error_code ignored;
    for (std::size_t i = 0; i < done; ++i) {
      std::filesystem::remove(files[i].final_path(), ignored);
    }
    throw;
  }
}

}  // namespace

PlannedTensor planned_copy(std::string name, DType dtype, std::vector<std::int64_t> shape,
                           std::span<const std::byte> bytes) {
  const auto copy = [name, bytes](std::span<std::byte> out) {
    if (out.size() != bytes.size()) {
      throw WorkError({.what = "tensor to be copied does not fit its shape",
                       .where = tensor_label(name),
                       .expected = fmt::format("{} bytes", out.size()),
                       .found = fmt::format("{} bytes", bytes.size())});
    }
    std::memcpy(out.data(), bytes.data(), bytes.size());
  };
  return {.name = std::move(name), .dtype = dtype, .shape = std::move(shape), .fill = copy};
}

void write_safetensors_file(const std::filesystem::path& path,
                            std::span<const PlannedTensor> tensors,
                            const SafetensorsOptions& options) {
  write_partial(path, in_file_order(checked(tensors)), options).commit();
}

std::vector<std::string> write_checkpoint_weights(const std::filesystem::path& directory,
                                                  std::span<const PlannedTensor> tensors,
                                                  const SafetensorsOptions& options) {
  const auto shards = split_into_shards(checked(tensors), options.max_shard_bytes);
  std::vector<AtomicFile> files;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < shards.size(); ++i) {
    names.push_back(shard_name(i, shards.size()));
    files.push_back(write_partial(directory / names.back(), in_file_order(shards[i]), options));
  }
  if (shards.size() > 1) {
    names.emplace_back("model.safetensors.index.json");
    AtomicFile& index = files.emplace_back(directory / names.back(), options.temporary_directory);
    index.write(index_text(shards));
    index.close();
  }
  commit_all(files);
  return names;
}

}  // namespace regroup::models
