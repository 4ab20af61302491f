#include "models/language_model/candidate_meter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "models/passes/prefix_states.hpp"
#include "models/passes/token_losses.hpp"
#include "models/passes/window_checks.hpp"
#include "models/passes/window_pass.hpp"
#include "models/transformer/transformer.hpp"
#include "search/base/parallel.hpp"

namespace regroup::models {
namespace {

/// Memory for the converted layers of candidates that are measured together.
constexpr std::size_t kMostConvertedBytes = std::size_t{1} << 30;

std::vector<std::string> layer_keys(const search::Grouping& grouping, const MergeRecipe& recipe,
                                    RefitScope scope) {
  std::vector<std::string> keys;
  bool grouped = false;
  for (const search::LayerGrouping& layer : grouping.layers) {
    grouped = grouped || !layer.is_source();
    std::string key = fmt::format("{};{}", layer.keys.to_string(), layer.values.to_string());
    for (const search::Group group : layer.query_to_group) key += fmt::format(",{}", group.value());
    // Layers before the first grouped one are the source's whatever the recipe.
    if (grouped) key += fmt::format("#{} {}", recipe.name(), scope == RefitScope::kAllFollowing);
    keys.push_back(std::move(key));
  }
  return keys;
}

/// Candidates from `begin` on whose converted layers fit into the memory together, at least one.
std::size_t count_together(std::span<const search::Grouping> groupings, std::size_t begin,
                           const MergeRecipe& recipe, const ModelConfig& config) {
  const auto inner =
      static_cast<std::size_t>(config.query_heads) * static_cast<std::size_t>(config.head_dim);
  const std::size_t layer_bytes =
      4 * sizeof(float) * inner * static_cast<std::size_t>(config.width);
  std::size_t bytes = 0;
  std::size_t count = 0;
  for (; begin + count < groupings.size(); ++count) {
    bool grouped = false;
    for (const search::LayerGrouping& layer : groupings[begin + count].layers) {
      const bool follows = grouped && recipe.fits_layers();
      grouped = grouped || !layer.is_source();
      if (!layer.is_source() || follows) bytes += layer_bytes;
    }
    if (count > 0 && bytes > kMostConvertedBytes) break;
  }
  return count;
}

}  // namespace

/// What measurements share.
class CandidateMeter::Shared {
 public:
  /// Takes a candidate's last hidden states of one batch of windows.
  using Sink = std::function<void(const Transformer& model, std::size_t candidate,
                                  const at::Tensor& states, std::size_t batch, WindowRange range)>;

  Shared(const Merger& merger, const Windows& windows)
      : merger_(merger),
        windows_(windows),
        states_(windows, merger.source().transformer().options().device) {}

  std::mutex& mutex() { return mutex_; }

  void run(std::span<const search::Grouping> groupings, const MergeRecipe& recipe, RefitScope scope,
           std::stop_token stop, const Sink& sink) {
    const at::NoGradGuard no_gradients;
    for (std::size_t begin = 0; begin < groupings.size();) {
      const std::size_t count = count_together(groupings, begin, recipe, merger_.source().config());
      run_together(groupings.subspan(begin, count), recipe, scope, stop,
                   [&](const Transformer& model, std::size_t candidate, const at::Tensor& states,
                       std::size_t batch, WindowRange range) {
                     sink(model, begin + candidate, states, batch, range);
                   });
      begin += count;
    }
  }

  /// The source's last hidden states of every batch.
  const std::vector<at::Tensor>& source(const MergeRecipe& recipe, std::stop_token stop) {
    if (!source_.empty()) return source_;
    std::vector<at::Tensor> states(states_.batches());
    const ModelConfig& config = merger_.source().config();
    const auto alone =
        search::Grouping::uniform(config.layers, search::Partition::singletons(config.kv_heads));
    run({&alone, 1}, recipe, RefitScope::kGroupedLayers, std::move(stop),
        [&](const Transformer&, std::size_t, const at::Tensor& last, std::size_t batch,
            WindowRange) { states[batch] = last; });
    source_ = std::move(states);
    return source_;
  }

 private:
  std::vector<LanguageModel> merged_model(std::span<const search::Grouping> groupings,
                                          const MergeRecipe& recipe, RefitScope scope,
                                          const std::stop_token& stop) const {
    std::vector<std::optional<LanguageModel>> models(groupings.size());
    const auto convert_one = [&](std::size_t i) {
      const at::NoGradGuard no_gradients;
      models[i] = merger_.merged_model(groupings[i], recipe, stop, scope);
    };
    if (!recipe.fits_layers()) {
      search::parallel_for(groupings.size(), convert_one);
    } else {  // refits spread over the threads themselves
      for (std::size_t i = 0; i < groupings.size(); ++i) convert_one(i);
    }
    std::vector<LanguageModel> all;
    for (std::optional<LanguageModel>& model : models) all.push_back(std::move(*model));
    return all;
  }

  void run_together(std::span<const search::Grouping> groupings, const MergeRecipe& recipe,
                    RefitScope scope, std::stop_token stop, const Sink& sink) {
    const std::vector<LanguageModel> models = merged_model(groupings, recipe, scope, stop);
    std::vector<PrefixCandidate> candidates;
    for (std::size_t i = 0; i < models.size(); ++i) {
      candidates.push_back({&models[i].transformer(), layer_keys(groupings[i], recipe, scope)});
    }
    states_.run(candidates, std::move(stop),
                [&](std::size_t candidate, std::size_t batch, const at::Tensor& states) {
                  sink(*candidates[candidate].transformer, candidate, states, batch,
                       states_.windows_of(batch));
                });
  }

  const Merger& merger_;
  const Windows& windows_;
  std::mutex mutex_;
  PrefixStates states_;
  std::vector<at::Tensor> source_;
};

CandidateMeter::CandidateMeter(std::shared_ptr<const Merger> merger, const Windows& windows)
    : merger_(std::move(merger)),
      windows_(windows),
      shared_(std::make_unique<Shared>(*merger_, windows)) {
  require_windows(windows, merger_->source().config());
}

CandidateMeter::~CandidateMeter() = default;

std::vector<std::vector<double>> CandidateMeter::measure(
    std::span<const search::Grouping> groupings, const MergeRecipe& recipe, RefitScope scope,
    TokenMeasure measure, std::stop_token stop) const {
  if (merger_->source().transformer().is_measured_by_source()) {
    return measure_by_source(groupings, recipe, scope, measure, std::move(stop));
  }
  const std::lock_guard one_at_a_time(shared_->mutex());
  std::vector<std::vector<double>> means(groupings.size(), std::vector<double>(windows_.size()));
  shared_->run(groupings, recipe, scope, std::move(stop),
               [&](const Transformer& model, std::size_t candidate, const at::Tensor& states,
                   std::size_t, WindowRange range) {
                 batch_means(model, states, windows_, range, measure, means[candidate]);
               });
  for (const auto& windows : means) {
    for (const double mean : windows) {
      require_finite_loss(mean, merger_->source().pretrained());
    }
  }
  return means;
}

std::vector<std::vector<double>> CandidateMeter::measure_by_source(
    std::span<const search::Grouping> groupings, const MergeRecipe& recipe, RefitScope scope,
    TokenMeasure measure, std::stop_token stop) const {
  std::vector<std::vector<double>> means;
  for (const auto& of_grouping : scores(groupings, recipe, scope, std::move(stop))) {
    std::vector<double>& values = means.emplace_back();
    for (const WindowScore& score : of_grouping) {
      values.push_back(measure == TokenMeasure::kLoss ? score.loss : 1 - score.accuracy);
    }
  }
  return means;
}

std::vector<std::vector<WindowScore>> CandidateMeter::scores(
    std::span<const search::Grouping> groupings, const MergeRecipe& recipe, RefitScope scope,
    std::stop_token stop) const {
  const std::lock_guard one_at_a_time(shared_->mutex());
  const std::vector<at::Tensor>& of_source = shared_->source(recipe, stop);
  const Transformer& source = merger_->source().transformer();
  std::vector<std::vector<WindowScore>> scores(groupings.size(),
                                               std::vector<WindowScore>(windows_.size()));
  shared_->run(groupings, recipe, scope, std::move(stop),
               [&](const Transformer& model, std::size_t candidate, const at::Tensor& states,
                   std::size_t batch, WindowRange range) {
                 batch_scores(model, states, source, of_source[batch], windows_, range,
                              scores[candidate]);
               });
  for (const auto& windows : scores) {
    for (const WindowScore& score : windows) {
      require_finite_loss(score.loss, merger_->source().pretrained());
    }
  }
  return scores;
}

}  // namespace regroup::models
