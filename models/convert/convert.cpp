#include "models/convert/convert.hpp"

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "models/attention/rotary.hpp"
#include "models/checkpoint/safetensors_writer.hpp"
#include "models/convert/converted_model.hpp"
#include "models/elements/conversion.hpp"
#include "models/files/atomic_file.hpp"
#include "models/layouts/converted_config.hpp"
#include "models/tensors/tensors.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

namespace fs = std::filesystem;

/// A tensor of an attention layer, which conversion makes anew.
struct AttentionTensor {
  int layer;
  std::vector<std::int64_t> shape;
};

std::map<std::string, AttentionTensor> attention_tensors(const ConvertedModel& converted) {
  std::map<std::string, AttentionTensor> result;
  const PretrainedModel& model = converted.model();
  for (int layer = 0; layer < model.config.layers; ++layer) {
    const LayerHeads heads = converted.heads()[static_cast<std::size_t>(layer)];
    for (auto& [name, shape] : stored_shapes(model, layer, heads)) result[name] = {layer, shape};
  }
  return result;
}

/// True for weight files and their index, of whatever number of shards.
bool is_weight_file(const std::string& name) {
  const bool shard = name.starts_with("model-") && name.ends_with(".safetensors");
  return shard || name == "model.safetensors" || name == "model.safetensors.index.json";
}

void remove_earlier_checkpoint(const fs::path& directory) {
  fs::remove(directory / "config.json");
  std::vector<fs::path> files = {
      directory / "configuration_regrouped.py", directory / "modeling_regrouped.py",
      directory / "configuration_mixture.py", directory / "modeling_mixture.py"};
  for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
    if (is_weight_file(entry.path().filename())) files.push_back(entry.path());
  }
  for (const fs::path& file : files) fs::remove(file);
  remove_stale_partials(directory);
}

/// Writes the elements of a tensor that is made anew, in the element type `source`.
void fill_with(const at::Tensor& tensor, const std::string& name, DType source, DType target,
               std::span<std::byte> out) {
  std::vector<std::byte> bytes(tensor.nbytes());
  copy_bytes(tensor, bytes);
  convert_elements(source, bytes, target, out, name);
}

/// The tensor in place of the checkpoint's; undefined: that.
at::Tensor new_tensor(ConvertedModel& converted, const std::string& name,
                      const AttentionTensor* own) {
  if (own == nullptr) return converted.changed(name);
  const LayerHeads heads = converted.heads()[static_cast<std::size_t>(own->layer)];
  return stored_tensor(converted.model(), own->layer, name, converted.layer(own->layer), heads);
}

std::vector<PlannedTensor> planned_tensors(ConvertedModel& converted, std::optional<DType> dtype,
                                           const std::map<std::string, AttentionTensor>& attention,
                                           std::stop_token stop, search::Progress& progress) {
  std::vector<PlannedTensor> plan;
  const Checkpoint& checkpoint = converted.model().checkpoint;
  for (const std::string& name : checkpoint.names()) {
    const TensorView& source = checkpoint.tensor(name);
    const bool is_weight = is_weight_dtype(source.dtype);
    const DType target = is_weight ? dtype.value_or(source.dtype) : source.dtype;
    const auto found = attention.find(name);
    const AttentionTensor* own = found == attention.end() ? nullptr : &found->second;
    plan.push_back({name, target, own == nullptr ? source.shape : own->shape,
                    [&converted, &checkpoint, &source, &progress, stop, name, target,
                     own](std::span<std::byte> out) {
                      if (stop.stop_requested()) throw Interrupted();
                      const at::Tensor tensor = new_tensor(converted, name, own);
                      if (tensor.defined()) {
                        fill_with(tensor, name, source.dtype, target, out);
                      } else {
                        std::vector<std::byte> buffer;
                        convert_elements(source.dtype, element_bytes(source, buffer), target, out,
                                         name);
                      }
                      checkpoint.release(source);
                      progress.advance(1);
                    }});
  }
  return plan;
}

std::vector<double> numbers_of(const at::Tensor& tensor) {
  const at::Tensor numbers = tensor.to(at::kDouble).contiguous();
  return {numbers.data_ptr<double>(), numbers.data_ptr<double>() + numbers.numel()};
}

/// The frequencies of heads that are wider than the source's, where all have the same; absent where
/// they are the source's own.
std::optional<WideRotary> wide_rotary(const ModelConfig& config, const ConvertedModel& converted) {
  const int multiple = converted.heads()[0].key_width / config.head_dim;
  const bool is_own = multiple == 1 || config.rotary.dimensions == 0;
  if (is_own || converted.layout() == Layout::kFree) return std::nullopt;
  WideRotary rotary{.original_context = static_cast<double>(config.context)};
  rotary.short_factors = numbers_of(wide_rotary_divisors(config.rotary, multiple));
  rotary.long_factors = rotary.short_factors;
  if (const auto* own = std::get_if<LongRotaryScaling>(&config.rotary.scaling)) {
    rotary.original_context = own->original_context;
    rotary.attention_factor = own->attention_factor;
    const auto longer = static_cast<std::int64_t>(own->original_context) + 1;
    rotary.long_factors = numbers_of(wide_rotary_divisors(config.rotary, multiple, longer));
  }
  if (const auto* yarn = std::get_if<YarnRotaryScaling>(&config.rotary.scaling)) {
    rotary.attention_factor = yarn->attention_factor;
  }
  return rotary;
}

}  // namespace

void convert_checkpoint(const PretrainedModel& model, const WeightOverlay& overlay, Layout layout,
                        const ConvertOptions& options, const fs::path& directory,
                        std::stop_token stop, search::Progress& progress) {
  ConvertedModel converted(model, overlay, layout);
  const std::map<std::string, AttentionTensor> attention = attention_tensors(converted);
  const std::vector<PlannedTensor> plan =
      planned_tensors(converted, options.dtype, attention, std::move(stop), progress);
  progress.begin("writing tensors", plan.size(), "tensors");
  remove_earlier_checkpoint(directory);
  // A GGUF file has no files beside it.
  if (!model.checkpoint.is_gguf()) {
    copy_companion_files(model.checkpoint.directory(), directory);
  }
  for (const auto& [name, content] : options.made_files) {
    write_file_atomically(directory / name, content);
  }
  if (!options.model_card.empty()) {
    write_file_atomically(directory / "README.md", options.model_card);
  }
  write_checkpoint_weights(directory, plan, {.max_shard_bytes = options.max_shard_bytes});
  if (!are_stock(layout, converted.heads(), model.config)) write_remote_code(model, directory);
  if (model.config.mixture && has_mixture_code(model.config)) write_mixture_code(model, directory);
  const ConvertedHeads heads{layout, converted.heads(), wide_rotary(model.config, converted),
                             converted.frequencies()};
  const nlohmann::json config = converted_config(model, heads, options.dtype);
  write_file_atomically(directory / "config.json", config.dump(2) + "\n");
  progress.end();
}

}  // namespace regroup::models
