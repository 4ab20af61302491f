#include "models/convert/convert.hpp"

#include <fmt/format.h>

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include "models/checkpoint/safetensors_writer.hpp"
#include "models/files/atomic_file.hpp"
#include "models/files/mapped_file.hpp"
#include "models/merge/merged_layers.hpp"
#include "models/transformer/tensors.hpp"
#include "search/error.hpp"

namespace regroup::models {
namespace {

namespace fs = std::filesystem;

/// One converted layer at a time: its tensors are asked for one after another, and merged once.
class ConvertedLayers {
 public:
  ConvertedLayers(const PretrainedModel& model, const MergedLayers& layers, Layout layout)
      : model_(model), layers_(layers), layout_(layout) {}

  const AttentionWeights& layer(int index) {
    if (held_ != index) {
      current_ = layers_.layer(static_cast<std::size_t>(index));
      lay_out(layout_, current_, model_.config, stored_kv_heads(layout_, layers_.grouping()));
      held_ = index;
    }
    return current_.weights;
  }

 private:
  const PretrainedModel& model_;
  const MergedLayers& layers_;
  Layout layout_;
  std::optional<int> held_;
  MergedAttention current_;
};

/// A tensor of an attention layer that conversion replaces.
struct Replaced {
  int layer;
  std::vector<std::int64_t> shape;
};

/// By name, for a model that stores this many KV heads.
std::map<std::string, Replaced> replaced_tensors(const PretrainedModel& model, int stored_heads) {
  std::map<std::string, Replaced> result;
  for (int layer = 0; layer < model.config.layers; ++layer) {
    for (auto& [name, shape] : stored_shapes(model, layer, stored_heads)) {
      result[name] = {layer, shape};
    }
  }
  return result;
}

/// config.json of the converted model: the source's, with the KV heads that it stores.
std::string converted_config(const PretrainedModel& model, int stored_heads) {
  nlohmann::json config = model.checkpoint.config();
  if (model.config.names_kv_heads) {
    config[std::string(model.spec.fields.kv_heads)] = stored_heads;
    // Where it was derived from the heads it still is; written down it cannot be derived wrongly.
    config[std::string(model.spec.fields.head_dim)] = model.config.head_dim;
  }
  return config.dump(2) + "\n";
}

/// True for weight files and their index, of whatever number of shards.
bool is_weight_file(const std::string& name) {
  const bool shard = name.starts_with("model-") && name.ends_with(".safetensors");
  return shard || name == "model.safetensors" || name == "model.safetensors.index.json";
}

void remove_earlier_checkpoint(const fs::path& directory) {
  fs::remove(directory / "config.json");
  std::vector<fs::path> weights;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
    if (is_weight_file(entry.path().filename())) weights.push_back(entry.path());
  }
  for (const fs::path& file : weights) fs::remove(file);
  remove_stale_partials(directory);
}

/// Copies what belongs to text and generation; weights and config.json are written anew.
void copy_companion_files(const PretrainedModel& model, const fs::path& directory) {
  constexpr std::array kCompanions = {"tokenizer.model",
                                      "tokenizer.json",
                                      "tokenizer_config.json",
                                      "vocab.json",
                                      "merges.txt",
                                      "vocab.txt",
                                      "added_tokens.json",
                                      "spiece.model",
                                      "special_tokens_map.json",
                                      "LICENSE",
                                      "generation_config.json",
                                      "chat_template.jinja"};
  for (const char* name : kCompanions) {
    const fs::path source = model.checkpoint.directory() / name;
    if (!fs::is_regular_file(source)) continue;
    const MappedFile file(source);
    AtomicFile copy(directory / name);
    copy.write(file.bytes());
    copy.commit();
  }
}

}  // namespace

void convert_checkpoint(const PretrainedModel& model, const MergedLayers& layers, Layout layout,
                        const ConvertOptions& options, const fs::path& directory,
                        std::stop_token stop, search::Progress& progress) {
  const search::Grouping& grouping = layers.grouping();
  require_holds(layout, grouping, model.config);
  const int stored_heads = stored_kv_heads(layout, grouping);
  const std::map<std::string, Replaced> replaced = replaced_tensors(model, stored_heads);
  ConvertedLayers converted(model, layers, layout);

  std::vector<PlannedTensor> plan;
  for (const std::string& name : model.checkpoint.names()) {
    const TensorView& source = model.checkpoint.tensor(name);
    const auto found = replaced.find(name);
    const auto& shape = found == replaced.end() ? source.shape : found->second.shape;
    plan.push_back({name, source.dtype, shape, [&, name, found](std::span<std::byte> out) {
                      if (stop.stop_requested()) throw Interrupted();
                      if (found == replaced.end()) {
                        std::copy(source.bytes.begin(), source.bytes.end(), out.begin());
                      } else {
                        const int layer = found->second.layer;
                        copy_bytes(stored_tensor(model, layer, name, converted.layer(layer)), out);
                      }
                      model.checkpoint.release(source);
                      progress.advance(1);
                    }});
  }
  progress.begin("writing tensors", plan.size(), "tensors");
  remove_earlier_checkpoint(directory);
  copy_companion_files(model, directory);
  write_checkpoint_weights(directory, plan, {.max_shard_bytes = options.max_shard_bytes});
  write_file_atomically(directory / "config.json", converted_config(model, stored_heads));
  progress.end();
}

}  // namespace regroup::models
