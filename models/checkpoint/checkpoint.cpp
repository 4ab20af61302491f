#include "models/checkpoint/checkpoint.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <span>
#include <system_error>
#include <utility>

#include "models/checkpoint/gguf/gguf_header.hpp"
#include "models/checkpoint/gguf_file.hpp"
#include "models/checkpoint/pickle_file.hpp"
#include "models/checkpoint/safetensors.hpp"
#include "models/checkpoint/weight_index.hpp"
#include "models/files/json_file.hpp"
#include "models/files/printable.hpp"
#include "models/files/sha256.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

namespace fs = std::filesystem;

bool is_there(const fs::path& path) {
  std::error_code error;
  return fs::exists(path, error);
}

void require_directory(const fs::path& directory) {
  std::error_code error;
  if (fs::is_directory(directory, error)) return;
  throw InputError({.what = "no such model directory",
                    .where = directory.string(),
                    .expected = "a directory with config.json and weights, or a GGUF file",
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

/// Files that hold weights in another form or under another name, for a message.
std::string other_weights(const fs::path& directory) {
  constexpr std::array<std::string_view, 9> kEndings = {
      ".safetensors", ".bin", ".pt", ".pth", ".ckpt", ".gguf", ".h5", ".msgpack", ".onnx"};
  std::vector<std::string> names;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory, error)) {
    const fs::path name = entry.path().filename();
    if (std::ranges::find(kEndings, name.extension().string()) != kEndings.end()) {
      names.push_back(printable(name.string()));
    }
  }
  if (names.empty()) return "none of them";
  std::ranges::sort(names);
  constexpr std::size_t kMostNamed = 3;
  const auto shown = std::span(names).first(std::min(names.size(), kMostNamed));
  return fmt::format("none of them, but {}{}", fmt::join(shown.begin(), shown.end(), ", "),
                     names.size() > kMostNamed ? ", …" : "");
}

template <typename File>
std::unique_ptr<const WeightFile> open_file(const fs::path& path) {
  return std::make_unique<File>(path);
}

using WeightFiles = std::vector<std::unique_ptr<const WeightFile>>;

/// The view that the index promises in `shard`, whose place in `files` is `position`.
const TensorView* indexed_tensor(const WeightFiles& files, std::size_t position,
                                 const std::string& name, const fs::path& index) {
  if (const TensorView* found = files[position]->find(name)) return found;
  const auto other = std::find_if(files.begin(), files.end(), [&name](const auto& file) {
    return file->find(name) != nullptr;
  });
  throw InputError(
      {.what = "weight index and shards disagree",
       .where = index.string(),
       .expected = tensor_label(name) + " in " + files[position]->path().filename().string(),
       .found = other == files.end()
                    ? "no shard has it"
                    : "it is in " + printable((*other)->path().filename().string())});
}

}  // namespace

/// A format of weights: what its files are called, and how one is opened.
struct Checkpoint::WeightFormat {
  const char* single;
  const char* index;
  std::unique_ptr<const WeightFile> (*open)(const fs::path& path);
};

Checkpoint::Checkpoint(fs::path directory) : directory_(std::move(directory)) {
  if (is_gguf_file(directory_)) {
    open_gguf();
  } else {
    require_directory(directory_);
    config_ = read_config(directory_);
    open_weights();
  }
  for (const auto& file : files_) weight_files_.push_back(file->path());
}

void Checkpoint::open_gguf() {
  auto file = std::make_unique<const GgufFile>(directory_);
  config_ = file->config();
  files_.push_back(std::move(file));
  add_tensors(*files_.back());
}

void Checkpoint::open_weights() {
  // What stands first wins, as it does in transformers.
  static constexpr std::array kFormats = {
      WeightFormat{"model.safetensors", "model.safetensors.index.json", open_file<SafetensorsFile>},
      WeightFormat{"pytorch_model.bin", "pytorch_model.bin.index.json", open_file<PickleFile>}};
  for (const WeightFormat& format : kFormats) {
    if (is_there(directory_ / format.single)) return open_single(format);
    if (is_there(directory_ / format.index)) return open_sharded(format);
  }
  throw InputError({.what = "model directory has no weights",
                    .where = directory_.string(),
                    .expected = fmt::format("{0} or {0}.index.json, or {1} or {1}.index.json",
                                            kFormats[0].single, kFormats[1].single),
                    .found = other_weights(directory_)});
}

void Checkpoint::open_single(const WeightFormat& format) {
  files_.push_back(format.open(directory_ / format.single));
  add_tensors(*files_.back());
}

void Checkpoint::add_tensors(const WeightFile& file) {
  for (const TensorView& tensor : file.tensors()) {
    tensors_.emplace_hint(tensors_.end(), tensor.name, &tensor);
  }
}

void Checkpoint::open_sharded(const WeightFormat& format) {
  const fs::path index = directory_ / format.index;
  const WeightMap weight_map = read_weight_index(index);
  const std::vector<std::string> shards = shard_names(weight_map);
  for (const std::string& shard : shards) {
    if (!is_there(directory_ / shard)) {
      throw InputError({.what = "shard of the model is missing",
                        .where = (directory_ / shard).string(),
                        .expected = "a file, because " + std::string(format.index) + " names it",
                        .found = "no such file"});
    }
    files_.push_back(format.open(directory_ / shard));
  }
  for (const auto& [name, shard] : weight_map) {
    const auto at = std::lower_bound(shards.begin(), shards.end(), shard) - shards.begin();
    tensors_.emplace_hint(tensors_.end(), name,
                          indexed_tensor(files_, static_cast<std::size_t>(at), name, index));
  }
}

std::string Checkpoint::name() const {
  const fs::path path = fs::absolute(directory_).lexically_normal();
  if (is_gguf() && path.extension() == ".gguf") return path.stem().string();
  return path.has_filename() ? path.filename().string() : path.parent_path().filename().string();
}

std::string Checkpoint::config_where() const {
  return (is_gguf() ? directory_ : directory_ / "config.json").string();
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

const WeightFile* Checkpoint::owner_of(const TensorView& tensor) const {
  const auto owner = std::find_if(files_.begin(), files_.end(),
                                  [&](const auto& file) { return file->path() == tensor.file; });
  return owner == files_.end() ? nullptr : owner->get();
}

void Checkpoint::release(const TensorView& tensor) const {
  if (const WeightFile* owner = owner_of(tensor)) owner->release(tensor);
}

std::shared_ptr<const void> Checkpoint::lease(const TensorView& tensor) const {
  const WeightFile* owner = owner_of(tensor);
  return owner == nullptr ? nullptr : owner->lease();
}

}  // namespace regroup::models
