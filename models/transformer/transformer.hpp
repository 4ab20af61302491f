#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "models/attention/attention.hpp"
#include "models/attention/attention_setting.hpp"
#include "models/overlay/weight_overlay.hpp"
#include "models/pretrained/attention_names.hpp"
#include "models/pretrained/pretrained_model.hpp"
#include "models/transformer/embedding.hpp"
#include "models/transformer/forward_pass.hpp"
#include "models/transformer/mlp.hpp"
#include "models/transformer/output_head.hpp"
#include "models/transformer/stream.hpp"

namespace regroup::models {

/// Sees what a layer's attention reads as it is computed.
using AttentionInputObserver = std::function<void(std::size_t layer, const AttentionInput& input)>;

/// A tensor of a model that training can change.
struct ModelParameter {
  /// As a WeightOverlay names it: the checkpoint's name, or "TENSOR#key" of a projection that is
  /// stored transposed or with others.
  std::string name;
  /// In the shape that an overlay has it in and the computation's type; of a trainable one the
  /// overlay's own.
  at::Tensor tensor;
  /// Of a tensor of an attention layer: the layer, the first of several that share it, …
  std::optional<std::size_t> layer;
  std::string own;  ///< … and the layer's own name for it, "key.weight"
};

/// A transformer on LibTorch: decoder, encoder or both, one layer for every attention. Immutable;
/// copies share their tensors; concurrent forward passes are safe. Nothing in a forward pass works
/// in place or cuts gradients: with a trainable overlay it can be differentiated, without one it
/// records nothing, and the numbers are the same.
class Transformer {
 public:
  /// Copies the weights of `model`, checked to be finite, to the device. Throws InputError for NaN
  /// or Inf in any of them.
  Transformer(const PretrainedModel& model, const ComputeOptions& options);
  /// The base, which was made of `model`, with an overlay; shares all other tensors with it.
  /// Tensors of the overlay are put into the computation's type and place, in a graph where they
  /// require gradients: after a step that changes them, make the transformer anew. Throws
  /// InputError for a name or a shape that the model does not have.
  Transformer(const PretrainedModel& model, const Transformer& base, const WeightOverlay& overlay);

  /// All parameters, by name.
  std::vector<ModelParameter> parameters() const;
  /// Copies of the chosen parameters that record gradients, in the element type: an overlay to lay
  /// over this transformer.
  WeightOverlay trainable(const std::function<bool(const ModelParameter&)>& is_trained,
                          at::ScalarType type) const;
  /// All that this transformer has in place of its checkpoint's tensors: what overlays named, and
  /// attention layers that were changed, folded into projections and head maps. Throws InputError
  /// where an attention cannot be folded.
  WeightOverlay overlay() const;

  /// The same model with another attention in one layer, of whatever kind; shares all other
  /// weights.
  void replace_attention(std::size_t layer, std::shared_ptr<const Attention> attention);
  /// The same with other projections and head maps for the attention that is there. Throws
  /// InputError where its kind is not made of them.
  void replace_attention(std::size_t layer, const MergedAttention& attention);
  /// The same model with a KV cache of another type in every layer; shares all weights.
  void set_cache(CacheType type, KeyOrder order);

  /// The same model with the weights of one layer in memory, in the computation's type, for as long
  /// as that layer is at work: this one, which must outlive it, where they are so anyway.
  std::shared_ptr<const Transformer> with_layer_at_hand(std::size_t layer) const;

  const ComputeOptions& options() const { return options_; }
  /// The size of the vocabulary, or the number of classes.
  std::int64_t outputs() const { return head_.outputs(); }
  /// Whether it has a head; else its hidden states are what it says.
  bool has_logits() const { return head_.has_logits(); }
  std::int64_t width() const { return width_; }
  std::size_t layers() const { return layers_.size(); }
  ModelKind kind() const { return kind_; }
  /// Id that an encoder-decoder's target begins behind.
  std::int32_t decoder_start() const { return decoder_start_; }
  /// Of an image model: channels, height and width.
  std::vector<std::int64_t> image_shape() const { return image_shape_; }
  /// Of a speech model: bands and frames.
  std::vector<std::int64_t> sound_shape() const { return sound_shape_; }
  /// Whether its predictions are measured by those of the source, as there is no telling what they
  /// should be: models of masked tokens, encoder-decoders and models without a head.
  bool is_measured_by_source() const {
    return kind_ == ModelKind::kMasked || has_decoder(kind_) || !head_.has_logits();
  }

  /// An empty cache of a causal model for so many sequences and positions, where it computes.
  KvCache make_cache(std::int64_t batch, std::int64_t capacity) const;

  /// What `logits` takes of an input, [batch, scored positions, D]: all positions, of an
  /// encoder-decoder those of the target, of an image the class token, of a text that has a class
  /// the first. With a cache, the ids of a
  /// causal model continue what it holds: a first call with any length, then one id a call.
  at::Tensor hidden_states(const InputBatch& input, KvCache* cache = nullptr,
                           const AttentionInputObserver& observe = {},
                           const ForwardPass& pass = {}) const;
  /// One layer after another, without a cache: what enters the first one, …
  Stream embed(const InputBatch& input, std::int64_t offset = 0) const;
  /// … what a layer's attention sees of the stream, …
  AttentionInput attention_input(std::size_t layer, const Stream& stream) const;
  /// … what the residual stream would be after the layer's attention and before a norm, but for
  /// what does not depend on the attention's output, …
  at::Tensor residual(std::size_t layer, const Stream& stream) const;
  /// … what the attention would have to give there for that to be what it is on the source's stream
  /// with the source's output (where a norm follows the attention, the same output), …
  at::Tensor matching_output(std::size_t layer, const Stream& stream, const Stream& source,
                             const at::Tensor& source_output) const;
  /// … the stream after the layer, given the attention's output, …
  Stream after_attention(std::size_t layer, const Stream& stream, const at::Tensor& output) const;
  /// … or all of that at once, …
  Stream advance(std::size_t layer, const Stream& stream, const ForwardPass& pass = {}) const {
    return after_attention(layer, stream,
                           attention(layer)(attention_input(layer, stream), pass.of_layer(layer)));
  }
  /// … and the last hidden states, those that `logits` takes.
  at::Tensor finish(const Stream& stream) const;
  const Attention& attention(std::size_t layer) const { return *layers_[layer].attention; }

  /// Hidden states [..., D] → logits [..., outputs], float32; without a head the states themselves.
  at::Tensor logits(const at::Tensor& hidden) const { return head_(hidden); }

 private:
  /// What stands between a block and the stream that it adds to.
  struct Branch {
    std::optional<Norm> norm;
    at::Tensor scale;   // [D], by channel; undefined: none
    double factor = 1;  // of everything

    at::Tensor operator()(const at::Tensor& output) const;
    /// The output that would add `change`; only where there is no norm.
    at::Tensor undo(const at::Tensor& change) const;
  };
  struct Layer {
    std::optional<Norm> attention_norm;
    std::shared_ptr<const Attention> attention;
    Branch attention_branch;
    std::optional<Norm> mlp_norm;
    std::optional<FeedForward> mlp;  // the self-attention of an encoder-decoder's decoder has none
    Branch mlp_branch;
    AttentionNames names;
  };

  explicit Transformer(ModuleReader reader);
  AttentionSetting setting(ModuleReader& reader, int layer) const;
  /// Norms and feed-forward block of a layer.
  static void read_block(ModuleReader& reader, int layer, Layer& out);
  static Branch read_branch(ModuleReader& reader, const std::string& norm,
                            const std::string& scale);
  void read_last_norms(ModuleReader& reader);
  void lay_over_attention(const WeightOverlay& overlay);
  void require_known(const WeightOverlay& overlay) const;
  /// The feed-forward block's part, given the states after the attention.
  at::Tensor after_mlp(const Layer& layer, const at::Tensor& states) const;

  ComputeOptions options_;
  ResidualOrder order_;
  std::int64_t width_;
  std::size_t encoder_layers_;
  ModelKind kind_;
  std::int32_t decoder_start_;
  std::vector<std::int64_t> image_shape_;
  std::vector<std::int64_t> sound_shape_;
  bool reads_patches_;
  Embedding embedding_;
  std::optional<Embedding> decoder_embedding_;         // of an encoder-decoder
  std::vector<std::shared_ptr<const Rotary>> rotary_;  // by layer, or one for all
  std::shared_ptr<const Alibi> alibi_;
  std::shared_ptr<const RelativeBias> encoder_bias_;
  std::shared_ptr<const RelativeBias> decoder_bias_;
  std::vector<Layer> layers_;
  std::optional<Norm> encoder_norm_;
  std::optional<Norm> final_norm_;
  OutputHead head_;
  ReadTensors tensors_;                          // of all modules but attention
  std::map<std::string, at::Tensor> trainable_;  // of overlays, as they have them
  std::set<std::string> overlaid_;               // names that overlays had
  std::set<std::size_t> changed_layers_;         // whose attention was replaced
};

}  // namespace regroup::models
