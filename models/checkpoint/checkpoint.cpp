#include "models/checkpoint/checkpoint.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>
#include <utility>

#include "models/checkpoint/weight_index.hpp"
#include "models/files/json_file.hpp"
#include "models/files/printable.hpp"
#include "models/files/sha256.hpp"
#include "search/error.hpp"

namespace regroup::models {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSingleFile = "model.safetensors";
constexpr const char* kIndexFile = "model.safetensors.index.json";

bool is_there(const fs::path& path) {
  std::error_code error;
  return fs::exists(path, error);
}

void require_directory(const fs::path& directory) {
  std::error_code error;
  if (fs::is_directory(directory, error)) return;
  throw InputError({.what = "no such model directory",
                    .where = directory.string(),
                    .expected = "a directory with config.json and model.safetensors",
                    .found = is_there(directory) ? "a file" : "nothing of that name"});
}

nlohmann::json read_config(const fs::path& directory) {
  const fs::path path = directory / "config.json";
  if (!is_there(path)) {
    throw InputError({.what = "model directory has no config.json",
                      .where = directory.string(),
                      .expected = "config.json",
                      .found = "no such file"});
  }
  nlohmann::json config = read_json_file(path);
  require_object(config, path.string());
  return config;
}

[[noreturn]] void refuse_without_weights(const fs::path& directory) {
  const bool pickled = is_there(directory / "pytorch_model.bin") ||
                       is_there(directory / "pytorch_model.bin.index.json");
  throw InputError(
      {.what = pickled ? "model's weights are not in the safetensors format"
                       : "model directory has no weights",
       .where = directory.string(),
       .expected = fmt::format("{} or {}", kSingleFile, kIndexFile),
       .found = pickled ? "pytorch_model.bin only; convert it to safetensors first" : "neither"});
}

/// The view that the index promises in `shard`, whose place in `files` is `position`.
const TensorView* indexed_tensor(const std::vector<SafetensorsFile>& files, std::size_t position,
                                 const std::string& name, const fs::path& index) {
  if (const TensorView* found = files[position].find(name)) return found;
  const auto other = std::find_if(files.begin(), files.end(), [&name](const SafetensorsFile& file) {
    return file.find(name) != nullptr;
  });
  throw InputError(
      {.what = "weight index and shards disagree",
       .where = index.string(),
       .expected = tensor_label(name) + " in " + files[position].path().filename().string(),
       .found = other == files.end() ? "no shard has it"
                                     : "it is in " + printable(other->path().filename().string())});
}

}  // namespace

Checkpoint::Checkpoint(fs::path directory) : directory_(std::move(directory)) {
  require_directory(directory_);
  config_ = read_config(directory_);
  // The single file wins where both exist, as it does in transformers.
  if (is_there(directory_ / kSingleFile)) {
    open_single(directory_ / kSingleFile);
  } else if (is_there(directory_ / kIndexFile)) {
    open_sharded(directory_ / kIndexFile);
  } else {
    refuse_without_weights(directory_);
  }
  for (const SafetensorsFile& file : files_) weight_files_.push_back(file.path());
}

void Checkpoint::open_single(const fs::path& file) {
  files_.emplace_back(file);
  for (const TensorView& tensor : files_.back().tensors()) {
    tensors_.emplace_hint(tensors_.end(), tensor.name, &tensor);
  }
}

void Checkpoint::open_sharded(const fs::path& index) {
  const WeightMap weight_map = read_weight_index(index);
  const std::vector<std::string> shards = shard_names(weight_map);
  for (const std::string& shard : shards) {
    if (!is_there(directory_ / shard)) {
      throw InputError({.what = "shard of the model is missing",
                        .where = (directory_ / shard).string(),
                        .expected = "a file, because " + std::string(kIndexFile) + " names it",
                        .found = "no such file"});
    }
    files_.emplace_back(directory_ / shard);
  }
  for (const auto& [name, shard] : weight_map) {
    const auto at = std::lower_bound(shards.begin(), shards.end(), shard) - shards.begin();
    tensors_.emplace_hint(tensors_.end(), name,
                          indexed_tensor(files_, static_cast<std::size_t>(at), name, index));
  }
}

std::string Checkpoint::name() const {
  const fs::path path = fs::absolute(directory_).lexically_normal();
  return path.has_filename() ? path.filename().string() : path.parent_path().filename().string();
}

const TensorView* Checkpoint::find(std::string_view name) const {
  const auto found = tensors_.find(name);
  return found == tensors_.end() ? nullptr : found->second;
}

const TensorView& Checkpoint::tensor(std::string_view name) const {
  if (const TensorView* found = find(name)) return *found;
  throw InputError({.what = "tensor is missing",
                    .where = directory_.string(),
                    .expected = tensor_label(std::string(name)),
                    .found = fmt::format("{} other tensors", tensors_.size())});
}

std::vector<std::string> Checkpoint::names() const {
  std::vector<std::string> names;
  for (const auto& [name, tensor] : tensors_) names.push_back(name);
  return names;
}

const std::string& Checkpoint::weights_sha256() const {
  std::call_once(digest_->once, [this] {
    Sha256 all;
    for (const fs::path& file : weight_files_) all.update(sha256_of_file(file));
    digest_->hex = all.hex_digest();
  });
  return digest_->hex;
}

void Checkpoint::release(const TensorView& tensor) const {
  const auto owner = std::find_if(files_.begin(), files_.end(), [&](const SafetensorsFile& file) {
    return file.path() == tensor.file;
  });
  if (owner != files_.end()) owner->release(tensor);
}

}  // namespace regroup::models
