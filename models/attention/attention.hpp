#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "models/attention/attention_weights.hpp"
#include "models/attention/cache_codec.hpp"
#include "models/attention/kv_cache.hpp"
#include "models/tensors/compute.hpp"
#include "search/base/random.hpp"

namespace regroup::models {

/// What an attention layer reads, [batch, length, D]: the same twice but in cross-attention.
struct AttentionInput {
  at::Tensor queries;
  at::Tensor keys;  ///< of keys and values
};

/// One forward pass as one attention layer sees it.
struct AttentionPass {
  std::int64_t offset = 0;      ///< position of the first query
  LayerCache* cache = nullptr;  ///< null: the pass reads what it is given and nothing before it
  bool is_training = false;
  search::RandomKey key{0};  ///< of this layer's draws in this pass, where it makes any
  std::uint64_t number = 0;  ///< of the pass in its run: of a training its step
  /// Where not null, a kind whose `after_step` wants sums over the tokens of a step adds those of
  /// this pass to it; undefined: 0. Passes that run side by side have one each.
  at::Tensor* sums = nullptr;
};

/// What happens inside one attention layer from position 0, for every query head by itself. What a
/// kind of attention does not have is undefined.
struct AttentionTrace {
  at::Tensor plain_queries;  ///< before rotation, [batch, H, length, key width]
  at::Tensor queries;        ///< rotated
  at::Tensor keys;           ///< rotated, those that each query head reads
  at::Tensor values;         ///< those that each query head reads, [batch, H, length, value width]
  double scale = 1;          ///< of q·k in the logits
  /// As the softmax gets them, −∞ where a query may not look, [batch, H, length, key length].
  at::Tensor logits;
  /// The share of each token in what a query gets, of the same shape. Always there.
  at::Tensor attention;
  /// What the output projection receives, [batch, length, its columns]. Always there.
  at::Tensor mixed;
};

/// How a tensor of an attention changes.
enum class TensorUse {
  kParameter,  ///< by its gradient
  kState,      ///< by `after_step`: counts, running means, a deal that is kept
};

/// A tensor that an attention layer stores.
struct NamedTensor {
  std::string name;  ///< "query.weight", unlike all others of the layer
  at::Tensor tensor;
  TensorUse use = TensorUse::kParameter;
};

/// One attention layer between a block's norm and its residual stream. This is the seam at which
/// kinds of attention differ: what they store, what they cache, how scores and values mix, what a
/// calibration sees of it, and how they become projections of a checkpoint. Everything else speaks
/// to this interface; models/README.md, "How to add an attention".
///
/// Immutable: what changes a layer gives another one, which shares what did not change. Concurrent
/// passes are safe.
class Attention {
 public:
  virtual ~Attention() = default;

  /// What this kind of attention is called in messages: "dot product".
  virtual std::string_view name() const = 0;
  /// Which tokens a query may look at.
  virtual AttentionKind kind() const = 0;

  // What it stores.

  /// Its tensors, always in the same order; those that are there.
  std::vector<NamedTensor> tensors() const;
  /// The same attention with what `change` makes of each tensor, of the same shape.
  std::shared_ptr<const Attention> with_tensors(
      const std::function<at::Tensor(const NamedTensor&)>& change) const;
  /// The same whose parameters record gradients of their own; shares the numbers.
  std::shared_ptr<const Attention> with_own_weights() const;
  /// The same with its parameters in an element type.
  std::shared_ptr<const Attention> in_type(at::ScalarType type) const;
  /// The layer after a step of training whose passes left these sums (AttentionPass::sums), with
  /// another state where its kind has one.
  virtual std::shared_ptr<const Attention> after_step(const at::Tensor& sums,
                                                      std::uint64_t number) const;

  /// Whether they stand in a checkpoint by their own names, so that nothing has to be folded.
  virtual bool has_own_tensors() const { return false; }

  // What it keeps of earlier positions.

  /// Room for so many positions of a batch of sequences. Throws InputError where the kind cannot
  /// go on position by position.
  virtual std::unique_ptr<LayerCache> make_cache(std::int64_t batch, std::int64_t capacity) const;
  /// The same attention that reads back what its cache keeps as a cache of that type gives it.
  /// Throws InputError where the kind's cache has no such type.
  virtual std::shared_ptr<const Attention> with_cache(CacheType type, KeyOrder order) const;

  // How scores and values mix.

  /// Before the output projection, [batch, length, its columns]. With a cache, positions before
  /// `pass.offset` are read from it and the new ones added: any number where it is empty, then one
  /// at a time.
  virtual at::Tensor mix(const AttentionInput& input, const AttentionPass& pass) const = 0;
  /// The output projection of what `mix` gives, [batch, length, D].
  virtual at::Tensor project(const at::Tensor& mixed) const = 0;
  at::Tensor operator()(const AttentionInput& input, const AttentionPass& pass = {}) const {
    return project(mix(input, pass));
  }
  /// An evaluating pass from position 0 without a cache, with everything in between.
  /// O(H · length²) memory.
  virtual AttentionTrace trace(const AttentionInput& input) const = 0;

  // How it becomes tensors of a checkpoint, and comes from them.

  /// The projections and head maps that compute the same as this layer does at evaluation, on the
  /// CPU. Throws InputError that says why where there are none.
  virtual MergedAttention fold() const = 0;
  /// The same kind of attention, with everything but the projections and head maps as it is here.
  /// Throws InputError where the kind is not made of them.
  virtual std::shared_ptr<const Attention> with(const MergedAttention& layer,
                                                const ComputeOptions& options) const;

 protected:
  Attention() = default;
  Attention(const Attention&) = default;
  Attention& operator=(const Attention&) = default;

  using TensorVisitor = std::function<void(std::string_view name, at::Tensor& tensor, TensorUse)>;
  virtual std::shared_ptr<Attention> copy() const = 0;
  /// Shows every tensor, defined or not, in order; the visitor may put another in its place.
  virtual void visit_tensors(const TensorVisitor& visit) = 0;

  /// Throws InputError: this kind of attention is not what is needed.
  [[noreturn]] void refuse(std::string what, std::string expected) const;
};

}  // namespace regroup::models
