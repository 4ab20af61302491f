#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "models/checkpoint/weight_file.hpp"

namespace regroup::models {

/// A checkpoint in Hugging Face's layout: a directory with `config.json` and the weights. These are
/// the first that is there of `model.safetensors`, the shards that `model.safetensors.index.json`
/// lists, `pytorch_model.bin`, and the shards that `pytorch_model.bin.index.json` lists. Other
/// files are not looked at. A GGUF file stands for such a directory; see GgufFile.
///
/// Opening maps the weight files and checks their headers and the index against each other; it does
/// not read the numbers. Tensors of a shard that the index does not list are ignored, as other
/// readers do. Views stay valid when the object is moved. Thread-safe for concurrent use of const
/// members.
class Checkpoint {
 public:
  /// Throws InputError: no such directory, no or a broken config.json, no weight files, a broken
  /// index, and whatever SafetensorsFile, PickleFile or GgufFile refuses.
  explicit Checkpoint(std::filesystem::path directory);

  /// The directory, or the GGUF file: what load_tokenizer takes. No file stands below the latter.
  const std::filesystem::path& directory() const { return directory_; }
  /// Whether it is a GGUF file.
  bool is_gguf() const { return weight_files_.front() == directory_; }
  /// The directory's own name: "books-llama" for "models/books-llama", also with "/" or "/." after
  /// it, and for "." in that directory. Of "models/books-llama.gguf" the same.
  std::string name() const;
  /// config.json, an object.
  const nlohmann::json& config() const { return config_; }
  /// The path of config.json, or of the GGUF file: the `where` of messages about its fields.
  std::string config_where() const;

  /// The tensor; throws InputError when there is none of that name. Logarithmic.
  const TensorView& tensor(std::string_view name) const;
  /// The tensor, or null. Logarithmic.
  const TensorView* find(std::string_view name) const;
  /// The names of all tensors, ascending (in bytes).
  std::vector<std::string> names() const;

  /// The weight files' paths, ascending by file name; without the index.
  const std::vector<std::filesystem::path>& weight_files() const { return weight_files_; }
  /// SHA-256 (hexadecimal) of the weight files' hexadecimal SHA-256 digests put one after another
  /// in name order. Reads every byte the first time, then remembers.
  const std::string& weights_sha256() const;

  /// Gives the memory behind a tensor back to the system; it can still be read.
  void release(const TensorView& tensor) const;
  /// Keeps the bytes of a tensor of this checkpoint in place for as long as it lives.
  std::shared_ptr<const void> lease(const TensorView& tensor) const;

 private:
  struct Digest {
    std::once_flag once;
    std::string hex;
  };

  struct WeightFormat;

  void open_gguf();
  void open_weights();
  void open_single(const WeightFormat& format);
  void open_sharded(const WeightFormat& format);
  void add_tensors(const WeightFile& file);
  /// The file that holds the tensor; null: none of these.
  const WeightFile* owner_of(const TensorView& tensor) const;

  std::filesystem::path directory_;
  nlohmann::json config_;
  std::vector<std::unique_ptr<const WeightFile>> files_;
  std::vector<std::filesystem::path> weight_files_;
  /// Tensor name → the view, which lives in one of files_.
  std::map<std::string, const TensorView*, std::less<>> tensors_;
  std::unique_ptr<Digest> digest_ = std::make_unique<Digest>();
};

}  // namespace regroup::models
