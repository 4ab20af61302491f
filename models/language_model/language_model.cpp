#include "models/language_model/language_model.hpp"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

#include "models/attention/cache_codec.hpp"
#include "models/calibration/moment_tensors.hpp"
#include "models/calibration/scratch_moments.hpp"
#include "models/language_model/merger.hpp"
#include "models/passes/continuation_scores.hpp"
#include "models/passes/gradient_pass.hpp"
#include "models/passes/key_products.hpp"
#include "models/passes/layer_states.hpp"
#include "models/passes/moment_pass.hpp"
#include "models/passes/sampler.hpp"
#include "models/passes/target_ranks.hpp"
#include "models/passes/token_losses.hpp"
#include "models/passes/window_checks.hpp"
#include "models/passes/window_pass.hpp"
#include "models/transformer/transformer.hpp"
#include "search/base/error.hpp"
#include "search/base/parallel.hpp"

namespace regroup::models {
namespace {

/// Sequences that are sampled side by side.
constexpr std::size_t kSampledTogether = 8;

/// Moments of a model that overflows are of no use to anyone.
void require_finite(const LayerMoments& layer, std::size_t number, const std::string& name) {
  if (layer.input.allFinite() && layer.averaged.allFinite()) return;
  throw WorkError({.what = "the model's activations are not finite numbers",
                   .where = fmt::format("{}, layer {}", name, number)});
}

/// Puts the moments of a model together as they come, in memory or in its scratch.
class MomentKeeper {
 public:
  MomentKeeper(const ModelConfig& config, const ComputeOptions& options) : config_(config) {
    if (options.scratch) store_ = std::make_shared<ScratchMoments>(options.scratch, config);
    if (!store_) layers_.resize(static_cast<std::size_t>(config.layers));
  }

  void keep(std::size_t layer, LayerMoments moments) {
    round_moments(moments, config_);
    if (store_) return store_->put(layer, moments);
    layers_[layer] = std::move(moments);
  }
  void keep(std::size_t layer, LayerGradients gradients) {
    round_moments(gradients, config_);
    if (store_) return store_->put(layer, gradients);
    layers_[layer].gradients = std::move(gradients);
  }

  Calibration finish(const Windows& windows, std::string labels) && {
    return {std::move(layers_), windows, {}, std::move(labels), std::move(store_)};
  }

 private:
  const ModelConfig& config_;
  std::vector<LayerMoments> layers_;
  std::shared_ptr<ScratchMoments> store_;
};

void require_same_vocabulary(const Transformer& model, const Transformer& source) {
  if (model.outputs() == source.outputs()) return;
  throw InputError({.what = "models with other vocabularies cannot be compared",
                    .expected = std::to_string(source.outputs()),
                    .found = std::to_string(model.outputs())});
}

}  // namespace

struct SourceStates::Content {
  std::shared_ptr<const Transformer> transformer;
  Windows windows;
  std::vector<at::Tensor> states;  // of each batch, [windows · context, D], on the CPU
  std::vector<WindowScore> scores;
};

const std::vector<WindowScore>& SourceStates::scores() const {
  return content_->scores;
}

LanguageModel::LanguageModel(std::shared_ptr<const PretrainedModel> model,
                             const ComputeOptions& options)
    : model_(std::move(model)), transformer_(std::make_shared<Transformer>(*model_, options)) {}

LanguageModel::LanguageModel(std::shared_ptr<const PretrainedModel> model,
                             std::shared_ptr<const Transformer> transformer)
    : model_(std::move(model)), transformer_(std::move(transformer)) {}

LanguageModel LanguageModel::grouped(const search::Grouping& grouping,
                                     const MergeRecipe& recipe) const {
  return Merger(*this, nullptr).merged_model(grouping, recipe, {});
}

LanguageModel LanguageModel::with_overlay(const WeightOverlay& overlay) const {
  return {model_, std::make_shared<Transformer>(*model_, *transformer_, overlay)};
}

LanguageModel LanguageModel::with_cache(CacheType type) const {
  require_cache(config(), type, model_->name() + ", cache");
  auto transformer = std::make_shared<Transformer>(*transformer_);
  transformer->set_cache(type, cache_key_order(config()));
  return {model_, std::move(transformer)};
}

std::vector<float> LanguageModel::logits(std::span<const std::int32_t> ids) const {
  return logits(ForwardInput{{ids.begin(), ids.end()}, {}, {}});
}

std::vector<float> LanguageModel::logits(const ForwardInput& input) const {
  require_input(input, config());
  const c10::InferenceMode no_gradients;
  const at::Tensor hidden = transformer_->hidden_states(input_batch(*transformer_, input));
  const at::Tensor logits = transformer_->logits(hidden).cpu().contiguous();
  const float* data = logits.const_data_ptr<float>();
  return {data, data + logits.numel()};
}

std::vector<double> LanguageModel::window_losses(const Windows& windows, std::stop_token stop,
                                                 search::Progress& progress) const {
  require_windows(windows, config());
  require_targets(config());
  std::vector<double> losses(windows.size());
  for_each_states(*transformer_, windows, stop, [&](const at::Tensor& states, WindowRange range) {
    batch_means(*transformer_, states, windows, range, TokenMeasure::kLoss, losses);
    progress.advance(windows.tokens(range.begin, range.end));
  });
  for (const double loss : losses) require_finite_loss(loss, *model_);
  return losses;
}

std::vector<int> LanguageModel::class_ranks(const Windows& windows, std::stop_token stop,
                                            search::Progress& progress) const {
  require_classes(config());
  require_windows(windows, config());
  std::vector<int> ranks(windows.size());
  for_each_states(*transformer_, windows, stop, [&](const at::Tensor& states, WindowRange range) {
    std::ranges::copy(batch_target_ranks(*transformer_, states, windows, range),
                      ranks.begin() + static_cast<std::ptrdiff_t>(range.begin));
    progress.advance(range.end - range.begin);
  });
  return ranks;
}

std::vector<ContinuationScore> LanguageModel::continuation_scores(
    std::span<const Continuation> continuations, std::stop_token stop,
    search::Progress& progress) const {
  require_kind(WindowKind::kTokens, config());
  for (const Continuation& continuation : continuations) {
    require_ids(continuation.ids, config());
    require_length(continuation.inputs().size(), config());
  }
  const Device& device = transformer_->options().device;
  const std::vector<ContinuationBatch> batches = continuation_batches(continuations, device);
  std::vector<ContinuationScore> scores(continuations.size());
  for_each_batch(batches.size(), 1, device, stop, [&](std::size_t begin, std::size_t) {
    const ContinuationBatch& batch = batches[begin];
    score_batch(*transformer_, continuations, batch, scores);
    for (const auto& row : batch.rows) progress.advance(row.size() * batch.length);
  });
  for (const ContinuationScore& score : scores) {
    require_finite_loss(score.log_probability, *model_);
  }
  return scores;
}

SourceStates LanguageModel::source_states(const Windows& windows, std::stop_token stop,
                                          search::Progress& progress) const {
  require_windows(windows, config());
  const Device& device = transformer_->options().device;
  const std::size_t batch = batch_windows(windows, device);
  std::vector<at::Tensor> states((windows.size() + batch - 1) / batch);
  std::vector<WindowScore> scores(windows.size());
  for_each_states(*transformer_, windows, stop, [&](const at::Tensor& own, WindowRange range) {
    states[range.begin / batch] = own.cpu();
    batch_scores(*transformer_, own, *transformer_, own, windows, range, scores);
    progress.advance(windows.tokens(range.begin, range.end));
  });
  for (const WindowScore& score : scores) require_finite_loss(score.loss, *model_);
  return SourceStates(std::make_shared<const SourceStates::Content>(
      SourceStates::Content{transformer_, windows, std::move(states), std::move(scores)}));
}

std::vector<WindowScore> LanguageModel::compare(const SourceStates& source, std::stop_token stop,
                                                search::Progress& progress) const {
  const SourceStates::Content& kept = *source.content_;
  require_windows(kept.windows, config());
  require_same_vocabulary(*transformer_, *kept.transformer);
  const std::size_t batch = batch_windows(kept.windows, kept.transformer->options().device);
  std::vector<WindowScore> scores(kept.windows.size());
  for_each_states(*transformer_, kept.windows, stop,
                  [&](const at::Tensor& states, WindowRange range) {
                    batch_scores(*transformer_, states, *kept.transformer,
                                 kept.states[range.begin / batch], kept.windows, range, scores);
                    progress.advance(kept.windows.tokens(range.begin, range.end));
                  });
  for (const WindowScore& score : scores) require_finite_loss(score.loss, *model_);
  return scores;
}

Calibration LanguageModel::calibrate(const Windows& windows, const CalibrationOptions& options,
                                     std::stop_token stop, search::Progress& progress) const {
  require_windows(windows, config());
  const LayerStates states(*transformer_, windows);
  MomentKeeper keeper(config(), transformer_->options());
  for (std::size_t layer = 0; layer < transformer_->layers(); ++layer) {
    const auto at_work = transformer_->with_layer_at_hand(layer);
    LayerMoments moments = layer_moments(*at_work, layer, states.at_layer(layer, stop), stop);
    require_finite(moments, layer, model_->name());
    keeper.keep(layer, std::move(moments));
    progress.advance(windows.tokens());
  }
  if (options.gradient_key) {
    gradient_pass(
        states, config().kv_heads, *options.gradient_key, stop,
        [&](std::size_t layer, LayerGradients gradients) {
          keeper.keep(layer, std::move(gradients));
        },
        [&](std::size_t tokens) { progress.advance(tokens); });
  }
  return std::move(keeper).finish(windows, label_name(options.gradient_key));
}

search::KeyGrams LanguageModel::key_grams(const Windows& windows, std::stop_token stop,
                                          search::Progress& progress) const {
  require_windows(windows, config());
  search::KeyGrams grams{config().query_heads, {}};
  grams.layers.assign(static_cast<std::size_t>(config().layers),
                      std::vector<Eigen::MatrixXd>(windows.size()));
  const Device& device = transformer_->options().device;
  for_each_batch(windows.size(), batch_windows(windows, device), device, stop,
                 [&](std::size_t begin, std::size_t end) {
                   batch_key_grams(*transformer_, windows, begin, end, grams);
                   progress.advance(windows.tokens(begin, end));
                 });
  return grams;
}

Windows LanguageModel::sample(int windows, int context, search::RandomKey key, std::stop_token stop,
                              search::Progress& progress) const {
  require_kind(WindowKind::kTokens, config());
  require_length(static_cast<std::size_t>(context), config());
  if (!can_write_text(config())) {
    throw InputError({.what = "the model has no begin-of-sequence token to sample text from",
                      .where = model_->checkpoint.config_where(),
                      .expected = "bos_token_id, or data given by an option"});
  }
  const std::size_t stride = static_cast<std::size_t>(context) + 1;
  std::vector<std::int32_t> ids(static_cast<std::size_t>(windows) * stride);
  for_each_batch(static_cast<std::size_t>(windows), kSampledTogether,
                 transformer_->options().device, stop, [&](std::size_t begin, std::size_t end) {
                   std::vector<search::RandomStream> streams;
                   for (std::size_t w = begin; w < end; ++w) streams.emplace_back(key.split(w));
                   sample_sequences(*transformer_, *config().bos, streams, stop,
                                    std::span(ids).subspan(begin * stride, (end - begin) * stride));
                   progress.advance((end - begin) * static_cast<std::size_t>(context));
                 });
  return {context, std::move(ids)};
}

}  // namespace regroup::models
