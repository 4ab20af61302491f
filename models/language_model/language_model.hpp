#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <utility>
#include <vector>

#include "models/calibration/calibration.hpp"
#include "models/inputs/window_score.hpp"
#include "models/inputs/windows.hpp"
#include "models/pretrained/cache_type.hpp"
#include "models/pretrained/pretrained_model.hpp"
#include "models/recipes/merge_recipe.hpp"
#include "models/tensors/compute.hpp"
#include "models/text/continuation.hpp"
#include "search/base/progress.hpp"
#include "search/base/random.hpp"
#include "search/costs/key_grams.hpp"
#include "search/groupings/grouping.hpp"

namespace regroup::models {

class Transformer;
class WeightOverlay;

/// What a calibration measures.
struct CalibrationOptions {
  /// Labels of the gradients are drawn with it; absent: no gradients.
  std::optional<search::RandomKey> gradient_key;
};

/// What a source model makes of some windows, kept so that any number of conversions are compared
/// with it for one forward pass of the source. Holds its last hidden states in host memory: tokens
/// · D numbers in the computation's type. A cheap handle. Immutable and thread-safe.
class SourceStates {
 public:
  /// The source beside itself: divergence 0, agreement 1.
  const std::vector<WindowScore>& scores() const;

 private:
  friend class LanguageModel;
  struct Content;
  explicit SourceStates(std::shared_ptr<const Content> content) : content_(std::move(content)) {}

  std::shared_ptr<const Content> content_;
};

/// A causal language model ready to compute: the source model, or one with merged KV heads. A cheap
/// handle: copies and grouped versions share weights. Immutable and thread-safe; calls spread their
/// batches over the threads of search::parallel_for, and results do not depend on their number.
class LanguageModel {
 public:
  /// Copies the weights to the device in the computation's type. Throws InputError for NaN or Inf.
  LanguageModel(std::shared_ptr<const PretrainedModel> model, const ComputeOptions& options);

  const ModelConfig& config() const { return model_->config; }

  /// The model with merged KV heads, merged weights rounded to the checkpoint's type. Throws as
  /// `Merger::merge`. For recipes that need no calibration; see Merger for all others.
  LanguageModel grouped(const search::Grouping& grouping, const MergeRecipe& recipe) const;
  /// The model with the overlay's tensors in place of its own; shares all others. Throws InputError
  /// for a name or a shape that the model does not have.
  LanguageModel with_overlay(const WeightOverlay& overlay) const;
  /// The model with a KV cache of that type: whatever computes with its keys and values reads them
  /// as the cache gives them back. Throws InputError if it has no such cache.
  LanguageModel with_cache(CacheType type) const;

  /// Logits [length · vocabulary] in float32 for one sequence. Throws InputError for an id outside
  /// the vocabulary and for a length outside 1 … context.
  std::vector<float> logits(std::span<const std::int32_t> ids) const;
  /// The same for a model of any kind: [positions · outputs], of an encoder-decoder for the
  /// decoder's positions, of an image or a text that has a class one row. Throws InputError for
  /// input that the model does not read or that lacks what it reads.
  std::vector<float> logits(const ForwardInput& input) const;

  /// Mean next-token loss of every window, nats per token (METHODS §9). Throws InputError as
  /// `logits`, WorkError if a loss is not finite, Interrupted on `stop`. Progress counts tokens.
  std::vector<double> window_losses(const Windows& windows, std::stop_token stop,
                                    search::Progress& progress) const;

  /// How many classes the model finds more likely than the right one, for every image or
  /// text; of two that are as likely the first counts as more so. Throws as `window_losses`.
  /// Progress counts images or texts.
  std::vector<int> class_ranks(const Windows& windows, std::stop_token stop,
                               search::Progress& progress) const;

  /// What the model says of every continuation. Throws InputError as `logits`, WorkError if a
  /// log-probability is not finite, Interrupted on `stop`. Progress counts input tokens.
  std::vector<ContinuationScore> continuation_scores(std::span<const Continuation> continuations,
                                                     std::stop_token stop,
                                                     search::Progress& progress) const;

  /// Moments of what passes through every attention layer, layer after layer over all windows, and
  /// gradients where they are asked for. Sums in double, window by window, in an order that does
  /// not depend on the number of threads. Memory: hidden states (4 · D bytes a token, at every
  /// layer up to 2 GiB), three matrices of 8 · D² bytes a layer, with gradients four, and up to
  /// eight times as much for the layer at work; with a scratch for that layer alone, the rest lies
  /// there. Throws as `window_losses`. Progress counts tokens times layers, once more for
  /// gradients.
  Calibration calibrate(const Windows& windows, const CalibrationOptions& options,
                        std::stop_token stop, search::Progress& progress) const;
  /// What `compare` needs of this model as the source. Throws as `window_losses`. Progress counts
  /// tokens.
  SourceStates source_states(const Windows& windows, std::stop_token stop,
                             search::Progress& progress) const;

  /// Scores of the source's windows beside the source; losses are bit by bit those of
  /// `window_losses`. Throws as that, and InputError if the source has another vocabulary. Progress
  /// counts tokens.
  std::vector<WindowScore> compare(const SourceStates& source, std::stop_token stop,
                                   search::Progress& progress) const;

  /// Inner products of every layer's keys over each window's inputs (METHODS §4), in double, the
  /// same for any number of threads. Memory: 8 · H_kv² bytes a layer and window. Throws as
  /// `window_losses`, WorkError if a key is not finite. Progress counts tokens.
  search::KeyGrams key_grams(const Windows& windows, std::stop_token stop,
                             search::Progress& progress) const;

  /// Windows of text that the model itself writes: begin-of-sequence, then `context` tokens drawn
  /// at temperature 1, each window with the key of its number. Throws InputError if the model has
  /// no begin-of-sequence token, Interrupted on `stop`. Progress counts tokens.
  Windows sample(int windows, int context, search::RandomKey key, std::stop_token stop,
                 search::Progress& progress) const;

  /// For models/ itself.
  /// The same model computed by another transformer that was made of it.
  LanguageModel with_transformer(std::shared_ptr<const Transformer> transformer) const {
    return {model_, std::move(transformer)};
  }
  const Transformer& transformer() const { return *transformer_; }
  const PretrainedModel& pretrained() const { return *model_; }
  std::shared_ptr<const PretrainedModel> shared_pretrained() const { return model_; }

 private:
  LanguageModel(std::shared_ptr<const PretrainedModel> model,
                std::shared_ptr<const Transformer> transformer);
  std::shared_ptr<const PretrainedModel> model_;
  std::shared_ptr<const Transformer> transformer_;
};

}  // namespace regroup::models
