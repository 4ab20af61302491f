#include "models/language_model.hpp"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>

#include "models/converter.hpp"
#include "models/merge/merged_layers.hpp"
#include "models/refit/layer_states.hpp"
#include "models/transformer/continuation_scores.hpp"
#include "models/transformer/decoder.hpp"
#include "models/transformer/gradient_pass.hpp"
#include "models/transformer/key_products.hpp"
#include "models/transformer/moment_pass.hpp"
#include "models/transformer/sampler.hpp"
#include "models/transformer/token_losses.hpp"
#include "models/transformer/window_checks.hpp"
#include "models/transformer/window_pass.hpp"
#include "search/error.hpp"
#include "search/parallel.hpp"

namespace regroup::models {
namespace {

/// Sequences that are sampled side by side.
constexpr std::size_t kSampledTogether = 8;

/// Moments of a model that overflows are of no use to anyone.
void require_finite(const Calibration& calibration, const std::string& name) {
  for (std::size_t i = 0; i < calibration.layers.size(); ++i) {
    const LayerMoments& layer = calibration.layers[i];
    if (layer.input.allFinite() && layer.averaged.allFinite()) continue;
    throw WorkError({.what = "the model's activations are not finite numbers",
                     .where = fmt::format("{}, layer {}", name, i)});
  }
}

void require_same_vocabulary(const Decoder& model, const Decoder& source) {
  if (model.vocabulary() == source.vocabulary()) return;
  throw InputError({.what = "models with other vocabularies cannot be compared",
                    .expected = std::to_string(source.vocabulary()),
                    .found = std::to_string(model.vocabulary())});
}

}  // namespace

struct SourceStates::Content {
  std::shared_ptr<const Decoder> decoder;
  TokenWindows windows;
  std::vector<at::Tensor> states;  // of each batch, [windows · context, D], on the CPU
  std::vector<WindowScore> scores;
};

const std::vector<WindowScore>& SourceStates::scores() const {
  return content_->scores;
}

LanguageModel::LanguageModel(std::shared_ptr<const PretrainedModel> model,
                             const ComputeOptions& options)
    : model_(std::move(model)), decoder_(std::make_shared<Decoder>(*model_, options)) {}

LanguageModel::LanguageModel(std::shared_ptr<const PretrainedModel> model,
                             std::shared_ptr<const Decoder> decoder)
    : model_(std::move(model)), decoder_(std::move(decoder)) {}

LanguageModel LanguageModel::grouped(const search::Grouping& grouping,
                                     const MergeRecipe& recipe) const {
  return Converter(*this, nullptr).convert(grouping, recipe, {});
}

LanguageModel LanguageModel::with_layers(const MergedLayers& layers) const {
  const at::NoGradGuard no_gradients;
  auto decoder = std::make_shared<Decoder>(*decoder_);
  for (std::size_t i = 0; i < decoder->layers(); ++i) {
    if (layers.differs(i)) decoder->replace_attention(i, layers.layer(i), config());
  }
  return {model_, std::move(decoder)};
}

std::vector<float> LanguageModel::logits(std::span<const std::int32_t> ids) const {
  require_ids(ids, config());
  require_length(ids.size(), config());
  const c10::InferenceMode no_gradients;
  const at::Tensor input = id_tensor(ids, 1, decoder_->options());
  const at::Tensor logits = decoder_->logits(decoder_->hidden_states(input)).cpu().contiguous();
  const float* data = logits.const_data_ptr<float>();
  return {data, data + logits.numel()};
}

std::vector<double> LanguageModel::window_losses(const TokenWindows& windows, std::stop_token stop,
                                                 search::Progress& progress) const {
  require_windows(windows, config());
  std::vector<double> losses(windows.size());
  for_each_batch(windows.size(), batch_windows(windows), decoder_->options().device, stop,
                 [&](std::size_t begin, std::size_t end) {
                   batch_means(*decoder_, batch_states(*decoder_, windows, begin, end), windows,
                               begin, TokenMeasure::kLoss, losses);
                   progress.advance((end - begin) * static_cast<std::size_t>(windows.context()));
                 });
  for (const double loss : losses) require_finite_loss(loss, *model_);
  return losses;
}

std::vector<ContinuationScore> LanguageModel::continuation_scores(
    std::span<const Continuation> continuations, std::stop_token stop,
    search::Progress& progress) const {
  for (const Continuation& continuation : continuations) {
    require_ids(continuation.ids, config());
    require_length(continuation.inputs().size(), config());
  }
  const std::vector<ContinuationBatch> batches = continuation_batches(continuations);
  std::vector<ContinuationScore> scores(continuations.size());
  for_each_batch(batches.size(), 1, decoder_->options().device, stop,
                 [&](std::size_t begin, std::size_t) {
                   const ContinuationBatch& batch = batches[begin];
                   score_batch(*decoder_, continuations, batch, scores);
                   for (const auto& row : batch.rows) progress.advance(row.size() * batch.length);
                 });
  for (const ContinuationScore& score : scores) {
    require_finite_loss(score.log_probability, *model_);
  }
  return scores;
}

SourceStates LanguageModel::source_states(const TokenWindows& windows, std::stop_token stop,
                                          search::Progress& progress) const {
  require_windows(windows, config());
  const std::size_t batch = batch_windows(windows);
  std::vector<at::Tensor> states((windows.size() + batch - 1) / batch);
  std::vector<WindowScore> scores(windows.size());
  for_each_batch(windows.size(), batch, decoder_->options().device, stop,
                 [&](std::size_t begin, std::size_t end) {
                   const at::Tensor own = batch_states(*decoder_, windows, begin, end);
                   states[begin / batch] = own.cpu();
                   batch_scores(*decoder_, own, *decoder_, own, windows, begin, scores);
                   progress.advance((end - begin) * static_cast<std::size_t>(windows.context()));
                 });
  for (const WindowScore& score : scores) require_finite_loss(score.loss, *model_);
  return SourceStates(std::make_shared<const SourceStates::Content>(
      SourceStates::Content{decoder_, windows, std::move(states), std::move(scores)}));
}

std::vector<WindowScore> LanguageModel::compare(const SourceStates& source, std::stop_token stop,
                                                search::Progress& progress) const {
  const SourceStates::Content& kept = *source.content_;
  require_windows(kept.windows, config());
  require_same_vocabulary(*decoder_, *kept.decoder);
  const std::size_t batch = batch_windows(kept.windows);
  std::vector<WindowScore> scores(kept.windows.size());
  for_each_batch(
      scores.size(), batch, decoder_->options().device, stop,
      [&](std::size_t begin, std::size_t end) {
        const at::Tensor states = batch_states(*decoder_, kept.windows, begin, end);
        batch_scores(*decoder_, states, *kept.decoder, kept.states[begin / batch], kept.windows,
                     begin, scores);
        progress.advance((end - begin) * static_cast<std::size_t>(kept.windows.context()));
      });
  for (const WindowScore& score : scores) require_finite_loss(score.loss, *model_);
  return scores;
}

Calibration LanguageModel::calibrate(const TokenWindows& windows, const CalibrationOptions& options,
                                     std::stop_token stop, search::Progress& progress) const {
  require_windows(windows, config());
  const std::size_t tokens = windows.tokens();
  const LayerStates states(*decoder_, windows);
  Calibration calibration{{}, windows, {}};
  for (std::size_t layer = 0; layer < decoder_->layers(); ++layer) {
    calibration.layers.push_back(
        layer_moments(*decoder_, layer, states.at_layer(layer, stop), stop));
    progress.advance(tokens);
  }
  require_finite(calibration, model_->name());
  if (!options.gradient_key) return calibration;
  const std::size_t step = static_cast<std::size_t>(windows.context()) * decoder_->layers();
  std::vector<LayerGradients> gradients =
      gradient_pass(*decoder_, windows, config().kv_heads, *options.gradient_key, stop,
                    [&] { progress.advance(step); });
  for (std::size_t layer = 0; layer < gradients.size(); ++layer) {
    calibration.layers[layer].gradients = std::move(gradients[layer]);
  }
  calibration.labels = label_name(options.gradient_key);
  return calibration;
}

search::KeyGrams LanguageModel::key_grams(const TokenWindows& windows, std::stop_token stop,
                                          search::Progress& progress) const {
  require_windows(windows, config());
  search::KeyGrams grams{config().query_heads, {}};
  grams.layers.assign(static_cast<std::size_t>(config().layers),
                      std::vector<Eigen::MatrixXd>(windows.size()));
  for_each_batch(windows.size(), batch_windows(windows), decoder_->options().device, stop,
                 [&](std::size_t begin, std::size_t end) {
                   batch_key_grams(*decoder_, windows, begin, end, grams);
                   progress.advance((end - begin) * static_cast<std::size_t>(windows.context()));
                 });
  return grams;
}

TokenWindows LanguageModel::sample(int windows, int context, search::RandomKey key,
                                   std::stop_token stop, search::Progress& progress) const {
  require_length(static_cast<std::size_t>(context), config());
  if (!config().bos) {
    throw InputError({.what = "the model has no begin-of-sequence token to sample text from",
                      .where = model_->checkpoint.config_where(),
                      .expected = "bos_token_id, or data given by an option"});
  }
  const std::size_t stride = static_cast<std::size_t>(context) + 1;
  std::vector<std::int32_t> ids(static_cast<std::size_t>(windows) * stride);
  for_each_batch(static_cast<std::size_t>(windows), kSampledTogether, decoder_->options().device,
                 stop, [&](std::size_t begin, std::size_t end) {
                   std::vector<search::RandomStream> streams;
                   for (std::size_t w = begin; w < end; ++w) streams.emplace_back(key.split(w));
                   sample_sequences(*decoder_, *config().bos, streams, stop,
                                    std::span(ids).subspan(begin * stride, (end - begin) * stride));
                   progress.advance((end - begin) * static_cast<std::size_t>(context));
                 });
  return {context, std::move(ids)};
}

}  // namespace regroup::models
