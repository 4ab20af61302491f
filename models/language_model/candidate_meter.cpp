#include "models/language_model/candidate_meter.hpp"

#include <ATen/core/grad_mode.h>
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "models/overlay/weight_overlay.hpp"
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

std::vector<std::string> layer_keys(const search::Grouping& grouping,
                                    const Conversion& conversion) {
  std::vector<std::string> keys;
  bool grouped = false;
  for (const search::LayerGrouping& layer : grouping.layers) {
    grouped = grouped || !layer.is_source();
    std::string key = fmt::format("{};{}", layer.keys.to_string(), layer.values.to_string());
    if (layer.widths) key += fmt::format("w{}", layer.widths->to_string());
    for (const search::Group group : layer.query_to_group) key += fmt::format(",{}", group.value());
    // Layers before the first grouped one are the source's whatever the recipe.
    if (grouped) {
      key += fmt::format("#{} {}", conversion.recipe.name(),
                         conversion.scope == RefitScope::kAllFollowing);
    }
    key += fmt::format("@{}", cache_type_name(conversion.cache));
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

/// The model before a cache is put into it.
struct Converted {
  search::Grouping grouping;
  Conversion conversion;
  LanguageModel model;

  bool is_of(const search::Grouping& other, const Conversion& how) const {
    return grouping == other && conversion.recipe == how.recipe && conversion.scope == how.scope;
  }
};

/// What the source makes of the windows.
struct SourcePass {
  std::vector<at::Tensor> states;   // last hidden states of each batch, on the CPU
  std::vector<WindowScore> scores;  // beside itself
};

}  // namespace

search::Grouping source_grouping(const ModelConfig& config) {
  return search::Grouping::uniform(config.layers, search::Partition::singletons(config.kv_heads));
}

/// What measurements share.
class CandidateMeter::Shared {
 public:
  /// Takes a candidate's last hidden states of one batch of windows.
  using Sink = std::function<void(const Transformer& model, std::size_t candidate,
                                  const at::Tensor& states, std::size_t batch, WindowRange range)>;

  Shared(const Merger& merger, const Windows& windows, const MergeStore* store)
      : merger_(merger),
        windows_(windows),
        store_(store),
        states_(windows, merger.source().transformer().options().device) {}

  std::mutex& mutex() { return mutex_; }

  void run(std::span<const search::Grouping> groupings, const Conversion& conversion,
           std::stop_token stop, search::Progress& progress, const Sink& sink) {
    const at::NoGradGuard no_gradients;
    for (std::size_t begin = 0; begin < groupings.size();) {
      const std::size_t count =
          count_together(groupings, begin, conversion.recipe, merger_.source().config());
      run_together(groupings.subspan(begin, count), conversion, stop,
                   [&](const Transformer& model, std::size_t candidate, const at::Tensor& states,
                       std::size_t batch, WindowRange range) {
                     sink(model, begin + candidate, states, batch, range);
                     progress.advance(windows_.tokens(range.begin, range.end));
                   });
      begin += count;
    }
  }

  const SourcePass& source(std::stop_token stop, search::Progress& progress) {
    if (source_) return *source_;
    SourcePass pass{std::vector<at::Tensor>(states_.batches()),
                    std::vector<WindowScore>(windows_.size())};
    const search::Grouping alone = source_grouping(merger_.source().config());
    run({&alone, 1}, {}, std::move(stop), progress,
        [&](const Transformer& model, std::size_t, const at::Tensor& last, std::size_t batch,
            WindowRange range) {
          pass.states[batch] = last.cpu();
          batch_scores(model, last, model, last, windows_, range, pass.scores);
        });
    require_finite(pass.scores);
    source_ = std::move(pass);
    return *source_;
  }

  void require_finite(std::span<const WindowScore> scores) const {
    for (const WindowScore& score : scores) {
      require_finite_loss(score.loss, merger_.source().pretrained());
    }
  }

 private:
  std::vector<LanguageModel> convert(std::span<const search::Grouping> groupings,
                                     const Conversion& conversion, const std::stop_token& stop) {
    const bool is_again =
        groupings.size() == 1 && last_ && last_->is_of(groupings.front(), conversion);
    if (is_again) return {last_->model};
    last_.reset();
    std::vector<std::optional<LanguageModel>> models(groupings.size());
    const auto convert_one = [&](std::size_t i) {
      const at::NoGradGuard no_gradients;
      models[i] = merger_.source().with_overlay(*layers_of(groupings[i], conversion, stop));
    };
    if (!conversion.recipe.fits_layers()) {
      search::parallel_for(groupings.size(), convert_one);
    } else {  // refits spread over the threads themselves
      for (std::size_t i = 0; i < groupings.size(); ++i) convert_one(i);
    }
    std::vector<LanguageModel> all;
    for (std::optional<LanguageModel>& model : models) all.push_back(std::move(*model));
    if (all.size() == 1) last_ = Converted{groupings.front(), conversion, all.front()};
    return all;
  }

  std::shared_ptr<const WeightOverlay> layers_of(const search::Grouping& grouping,
                                                 const Conversion& conversion,
                                                 const std::stop_token& stop) const {
    if (conversion.scope == RefitScope::kAllFollowing) {
      return merger_.merge_once(grouping, conversion.recipe, store_, stop);
    }
    return merger_.merge(grouping, conversion.recipe, stop, conversion.scope);
  }

  void run_together(std::span<const search::Grouping> groupings, const Conversion& conversion,
                    std::stop_token stop, const Sink& sink) {
    std::vector<LanguageModel> models = convert(groupings, conversion, stop);
    std::vector<PrefixCandidate> candidates;
    for (std::size_t i = 0; i < models.size(); ++i) {
      if (conversion.cache != CacheType::kExact) {
        models[i] = models[i].with_cache(conversion.cache);
      }
      candidates.push_back({&models[i].transformer(), layer_keys(groupings[i], conversion)});
    }
    states_.run(candidates, std::move(stop),
                [&](std::size_t candidate, std::size_t batch, const at::Tensor& states) {
                  sink(*candidates[candidate].transformer, candidate, states, batch,
                       states_.windows_of(batch));
                });
  }

  const Merger& merger_;
  const Windows& windows_;
  const MergeStore* store_;
  std::mutex mutex_;
  PrefixStates states_;
  std::optional<Converted> last_;  // of a candidate that was converted alone
  std::optional<SourcePass> source_;
};

CandidateMeter::CandidateMeter(std::shared_ptr<const Merger> merger, const Windows& windows,
                               const MergeStore* store)
    : merger_(std::move(merger)),
      windows_(windows),
      shared_(std::make_unique<Shared>(*merger_, windows, store)) {
  require_windows(windows, merger_->source().config());
}

CandidateMeter::~CandidateMeter() = default;

void CandidateMeter::run_source(std::stop_token stop, search::Progress& progress) const {
  const std::lock_guard one_at_a_time(shared_->mutex());
  shared_->source(std::move(stop), progress);
}

std::vector<std::vector<double>> CandidateMeter::measure(
    std::span<const search::Grouping> groupings, const Conversion& conversion, TokenMeasure measure,
    std::stop_token stop, search::Progress& progress) const {
  std::vector<std::vector<double>> means(groupings.size(), std::vector<double>(windows_.size()));
  if (merger_->source().transformer().is_measured_by_source()) {
    const auto scores = this->scores(groupings, conversion, std::move(stop), progress);
    for (std::size_t i = 0; i < scores.size(); ++i) {
      std::ranges::transform(scores[i], means[i].begin(), [&](const WindowScore& score) {
        return measure == TokenMeasure::kLoss ? score.loss : 1 - score.accuracy;
      });
    }
    return means;
  }
  const std::lock_guard one_at_a_time(shared_->mutex());
  shared_->run(groupings, conversion, std::move(stop), progress,
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

std::vector<std::vector<WindowScore>> CandidateMeter::scores(
    std::span<const search::Grouping> groupings, const Conversion& conversion, std::stop_token stop,
    search::Progress& progress) const {
  const std::lock_guard one_at_a_time(shared_->mutex());
  search::SilentProgress silent;
  const SourcePass& of_source = shared_->source(stop, silent);
  std::vector<std::vector<WindowScore>> scores(groupings.size(),
                                               std::vector<WindowScore>(windows_.size()));
  std::vector<search::Grouping> changed;
  std::vector<std::size_t> places;  // of `changed` among `groupings`
  for (std::size_t i = 0; i < groupings.size(); ++i) {
    if (groupings[i].is_source() && conversion.cache == CacheType::kExact) {
      scores[i] = of_source.scores;
      progress.advance(windows_.tokens());
    } else {
      changed.push_back(groupings[i]);
      places.push_back(i);
    }
  }
  const Transformer& source = merger_->source().transformer();
  shared_->run(changed, conversion, std::move(stop), progress,
               [&](const Transformer& model, std::size_t candidate, const at::Tensor& states,
                   std::size_t batch, WindowRange range) {
                 batch_scores(model, states, source, of_source.states[batch], windows_, range,
                              scores[places[candidate]]);
               });
  for (const std::size_t place : places) shared_->require_finite(scores[place]);
  return scores;
}

}  // namespace regroup::models
