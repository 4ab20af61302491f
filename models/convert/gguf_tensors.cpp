#include "models/convert/gguf_tensors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "models/attention/rotary.hpp"
#include "models/elements/ggml_type.hpp"
#include "models/tensors/tensors.hpp"

namespace regroup::models {
namespace {

/// A projection of attention: where ConvertedModel has it, and what GGUF calls it.
struct Projection {
  AttentionRole role;
  at::Tensor AttentionWeights::*weight;
  at::Tensor AttentionWeights::*bias;
  std::string_view name;
};

constexpr std::array kInputs = {
    Projection{AttentionRole::kQuery, &AttentionWeights::query, &AttentionWeights::query_bias,
               "attn_q"},
    Projection{AttentionRole::kKey, &AttentionWeights::key, &AttentionWeights::key_bias, "attn_k"},
    Projection{AttentionRole::kValue, &AttentionWeights::value, &AttentionWeights::value_bias,
               "attn_v"}};
constexpr Projection kOutput = {AttentionRole::kOutput, &AttentionWeights::output,
                                &AttentionWeights::output_bias, "attn_output"};

/// A module of a layer that is copied as it is.
struct CopiedModule {
  std::string_view LayerModules::*module;
  std::string_view name;
};

constexpr std::array kBeforeAttention = {CopiedModule{&LayerModules::attention_norm, "attn_norm"},
                                         CopiedModule{&LayerModules::query_norm, "attn_q_norm"},
                                         CopiedModule{&LayerModules::key_norm, "attn_k_norm"}};
constexpr std::array kAfterAttention = {CopiedModule{&LayerModules::mlp_norm, "ffn_norm"},
                                        CopiedModule{&LayerModules::gate, "ffn_gate"},
                                        CopiedModule{&LayerModules::up, "ffn_up"},
                                        CopiedModule{&LayerModules::down, "ffn_down"}};

/// Makes a tensor's bytes in the type that it is stored in.
using Fill = std::function<void(GgmlType, std::span<std::byte>)>;

std::string block_name(int layer, std::string_view module, std::string_view part) {
  return fmt::format("blk.{}.{}.{}", layer, module, part);
}

/// Rows c and c + d/2 of every head side by side.
at::Tensor interleave(const at::Tensor& projection, std::int64_t head_dim) {
  const at::Tensor halves = projection.unflatten(0, {-1, 2, head_dim / 2});
  return halves.transpose(1, 2).reshape(projection.sizes());
}

std::vector<std::byte> bytes_of(const at::Tensor& tensor) {
  std::vector<std::byte> bytes(tensor.nbytes());
  copy_bytes(tensor.contiguous(), bytes);
  return bytes;
}

class Plan {
 public:
  Plan(ConvertedModel& converted, const GgufArchitecture& architecture,
       std::optional<GgmlType> type)
      : converted_(converted),
        model_(converted.model()),
        architecture_(architecture),
        type_(type) {}

  std::vector<GgufTensor> tensors() && {
    const ModelModules& modules = model_.spec.model;
    copy(modules.embedding, "token_embd");
    if (model_.config.rotary.is_scaled() || multiple() > 1) add_rotary_factors();
    for (int layer = 0; layer < model_.config.layers; ++layer) add_layer(layer);
    copy(modules.final_norm, "output_norm");
    if (!model_.config.tied_embeddings) copy(modules.head, "output");
    return std::move(tensors_);
  }

 private:
  void add_layer(int layer) {
    copy_modules(kBeforeAttention, layer);
    if (architecture_.fused) {
      add_fused_inputs(layer);
    } else {
      for (const Projection& projection : kInputs) add_projection(layer, projection);
    }
    add_projection(layer, kOutput);
    copy_modules(kAfterAttention, layer);
  }

  template <std::size_t N>
  void copy_modules(const std::array<CopiedModule, N>& modules, int layer) {
    for (const CopiedModule& entry : modules) {
      const std::string_view module = model_.spec.layer.*entry.module;
      if (module.empty()) continue;
      copy(module_name(module, layer), fmt::format("blk.{}.{}", layer, entry.name));
    }
  }

  /// A module's weight, and its bias where there is one.
  void copy(std::string_view module, std::string_view name) {
    for (const char* part : {"weight", "bias"}) {
      const TensorView* view =
          model_.checkpoint.find(model_.stored_name(fmt::format("{}.{}", module, part)));
      if (view == nullptr) continue;
      if (stays_in_blocks(*view)) {
        copy_blocks(fmt::format("{}.{}", name, part), *view);
        continue;
      }
      const auto fill = [&converted = converted_, view](GgmlType type, std::span<std::byte> out) {
        const at::Tensor changed = converted.changed(view->name);
        if (changed.defined()) {
          store_elements(view->dtype, bytes_of(changed), type, out, view->name);
        } else {
          std::vector<std::byte> buffer;
          store_elements(view->dtype, element_bytes(*view, buffer), type, out, view->name);
        }
        converted.model().checkpoint.release(*view);
      };
      add(fmt::format("{}.{}", name, part), *view, view->shape, fill);
    }
  }

  /// Whether a tensor of a GGUF file is written as it stands there.
  bool stays_in_blocks(const TensorView& view) const {
    return !type_ && view.storage.blocks && !converted_.changed(view.name).defined();
  }

  void copy_blocks(std::string name, const TensorView& view) {
    tensors_.push_back({std::move(name), *view.storage.blocks, view.shape,
                        [&checkpoint = model_.checkpoint, &view](std::span<std::byte> out) {
                          std::ranges::copy(view.bytes, out.begin());
                          checkpoint.release(view);
                        }});
  }

  void add_projection(int layer, const Projection& projection) {
    const std::vector<std::int64_t> shape = weight_shape(layer, projection.role);
    add(block_name(layer, projection.name, "weight"), model_.weight_tensor(layer, projection.role),
        shape, fill_weight(layer, projection));
    if (!has_bias(model_.config, projection.role)) return;
    add(block_name(layer, projection.name, "bias"), model_.bias_tensor(layer, projection.role),
        {shape[0]}, fill_bias(layer, projection));
  }

  /// All queries, then all keys, then all values.
  void add_fused_inputs(int layer) {
    const std::string name = block_name(layer, "attn_qkv", "weight");
    std::vector<std::int64_t> shape = {0, model_.config.width};
    std::vector<std::pair<std::vector<std::int64_t>, Fill>> parts;
    for (const Projection& input : kInputs) {
      parts.emplace_back(weight_shape(layer, input.role), fill_weight(layer, input));
      shape[0] += parts.back().first[0];
    }
    const auto fill = [parts](GgmlType type, std::span<std::byte> out) {
      for (const auto& [part_shape, fill_part] : parts) {
        const std::uint64_t size = tensor_bytes(type, part_shape).value();
        fill_part(type, out.first(size));
        out = out.subspan(size);
      }
    };
    add(name, model_.weight_tensor(layer, AttentionRole::kQuery), shape, fill);
  }

  std::vector<std::int64_t> weight_shape(int layer, AttentionRole role) const {
    const LayerHeads heads = converted_.heads()[static_cast<std::size_t>(layer)];
    const std::int64_t width = model_.config.width;
    if (role == AttentionRole::kOutput)
      return {width, std::int64_t{heads.query} * heads.value_width};
    if (role == AttentionRole::kQuery) return {std::int64_t{heads.query} * heads.key_width, width};
    const int own = role == AttentionRole::kKey ? heads.key_width : heads.value_width;
    return {std::int64_t{heads.kv} * own, width};
  }

  Fill fill_weight(int layer, const Projection& projection) const {
    return fill_part(layer, projection, projection.weight,
                     model_.weight_tensor(layer, projection.role));
  }
  Fill fill_bias(int layer, const Projection& projection) const {
    return fill_part(layer, projection, projection.bias,
                     model_.bias_tensor(layer, projection.role));
  }

  Fill fill_part(int layer, const Projection& projection, at::Tensor AttentionWeights::*part,
                 const TensorView& source) const {
    const bool turned =
        projection.role == AttentionRole::kQuery || projection.role == AttentionRole::kKey;
    const bool interleaves = turned && architecture_.rotary == RotaryLayout::kInterleaved;
    return [&converted = converted_, &source, layer, part, interleaves](GgmlType type,
                                                                        std::span<std::byte> out) {
      const at::Tensor& own = converted.layer(layer).*part;
      const std::int64_t head = converted.heads()[static_cast<std::size_t>(layer)].key_width;
      const at::Tensor rows = interleaves ? interleave(own, head) : own;
      store_elements(source.dtype, bytes_of(rows), type, out, source.name);
      converted.model().checkpoint.release(source);
    };
  }

  /// The source's heads that a stored one is as wide as.
  int multiple() const { return converted_.heads()[0].key_width / model_.config.head_dim; }

  /// What llama.cpp divides the rotary frequencies by.
  void add_rotary_factors() {
    const at::Tensor factors = wide_rotary_divisors(model_.config.rotary, multiple());
    tensors_.push_back({"rope_freqs.weight", GgmlType::kF32, factors.sizes().vec(),
                        [factors](std::span<std::byte> out) { copy_bytes(factors, out); }});
  }

  void add(std::string name, const TensorView& source, std::vector<std::int64_t> shape, Fill fill) {
    const GgmlType type = stored_type(source, shape);
    const auto fill_as_stored = [type, fill = std::move(fill)](std::span<std::byte> out) {
      fill(type, out);
    };
    tensors_.push_back({std::move(name), type, std::move(shape), fill_as_stored});
  }

  /// What was in blocks and is made anew becomes F16.
  GgmlType stored_type(const TensorView& source, const std::vector<std::int64_t>& shape) const {
    if (shape.size() < 2) return GgmlType::kF32;
    const GgmlType own = source.storage.blocks ? GgmlType::kF16 : ggml_type_of(source.dtype);
    const GgmlType wanted = type_.value_or(own);
    return fits_rows(wanted, shape.back()) ? wanted : GgmlType::kF16;
  }

  ConvertedModel& converted_;
  const PretrainedModel& model_;
  const GgufArchitecture& architecture_;
  std::optional<GgmlType> type_;
  std::vector<GgufTensor> tensors_;
};

}  // namespace

std::vector<GgufTensor> gguf_tensors(ConvertedModel& converted,
                                     const GgufArchitecture& architecture,
                                     std::optional<GgmlType> type) {
  return Plan(converted, architecture, type).tensors();
}

}  // namespace regroup::models
