#include "models/candidate_meter.hpp"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>

#include "models/transformer/decoder.hpp"
#include "models/transformer/token_losses.hpp"
#include "models/transformer/window_checks.hpp"
#include "models/transformer/window_pass.hpp"
#include "search/error.hpp"

namespace regroup::models {
namespace {

constexpr std::size_t kMostBytes = std::size_t{1} << 30;

/// Hidden states of all batches at the input of one layer.
using States = std::vector<at::Tensor>;

std::size_t bytes_of(const States& states) {
  std::size_t bytes = 0;
  for (const at::Tensor& batch : states) bytes += batch.nbytes();
  return bytes;
}

/// What the states at the input of layer 0, 1, … depend on.
std::vector<std::string> prefix_keys(const search::Grouping& grouping, const MergeRecipe& recipe,
                                     RefitScope scope) {
  std::vector<std::string> keys = {""};
  bool grouped = false;
  for (const search::LayerGrouping& layer : grouping.layers) {
    grouped = grouped || !layer.is_source();
    std::string key = keys.back();
    // Layers before the first grouped one are the source's whatever the recipe.
    if (grouped && key.find('#') == std::string::npos) {
      key += fmt::format("#{} {}", recipe.name(), scope == RefitScope::kAllFollowing);
    }
    key += fmt::format("/{};{}", layer.keys.to_string(), layer.values.to_string());
    for (const search::Group group : layer.query_to_group) key += fmt::format(",{}", group.value());
    keys.push_back(std::move(key));
  }
  return keys;
}

}  // namespace

/// Forward passes through converted models that begin where an earlier one was the same.
class CandidateMeter::PrefixStates {
 public:
  explicit PrefixStates(const TokenWindows& windows) : windows_(windows) {}

  /// Last hidden states of every batch, [windows · context, D].
  States run(const Decoder& decoder, const std::vector<std::string>& keys, std::stop_token stop) {
    std::size_t layer = decoder.layers();
    while (layer > 0 && !kept_.contains(keys[layer])) --layer;
    States states = layer > 0 ? use(keys[layer]) : embed(decoder, stop);
    for (; layer < decoder.layers(); ++layer) {
      for_each_batch(
          states.size(), 1, decoder.options().device, stop,
          [&](std::size_t i, std::size_t) { states[i] = decoder.advance(layer, states[i]); });
      consider(keys[layer + 1], states);
    }
    for (at::Tensor& batch : states) batch = decoder.finish(batch).flatten(0, 1);
    return states;
  }

  std::mutex& mutex() { return mutex_; }
  /// Of the source, for comparisons.
  std::optional<States> source;

 private:
  struct Kept {
    States states;
    std::list<std::string>::iterator place;  // in order_
  };

  States embed(const Decoder& decoder, std::stop_token stop) const {
    const std::size_t batch = batch_windows(windows_);
    States states((windows_.size() + batch - 1) / batch);
    for_each_batch(windows_.size(), batch, decoder.options().device, std::move(stop),
                   [&](std::size_t begin, std::size_t end) {
                     const at::Tensor ids = window_tensor(windows_, begin, end, decoder.options());
                     states[begin / batch] = decoder.embed(ids.slice(1, 0, windows_.context()));
                   });
    return states;
  }

  const States& use(const std::string& key) {
    Kept& kept = kept_.at(key);
    order_.splice(order_.begin(), order_, kept.place);
    return kept.states;
  }

  /// Keeps states whose prefix comes for the second time, and drops those not used for longest.
  void consider(const std::string& key, const States& states) {
    if (seen_.insert(key).second) return;
    const std::size_t bytes = bytes_of(states);
    while (!order_.empty() && bytes_ + bytes > kMostBytes) {
      const auto oldest = kept_.find(order_.back());
      bytes_ -= bytes_of(oldest->second.states);
      kept_.erase(oldest);
      order_.pop_back();
    }
    if (bytes > kMostBytes) return;
    order_.push_front(key);
    kept_[key] = {states, order_.begin()};
    bytes_ += bytes;
  }

  const TokenWindows& windows_;
  std::mutex mutex_;
  std::map<std::string, Kept> kept_;
  std::list<std::string> order_;  // most recently used first
  std::unordered_set<std::string> seen_;
  std::size_t bytes_ = 0;
};

CandidateMeter::CandidateMeter(std::shared_ptr<const Converter> converter,
                               const TokenWindows& windows)
    : converter_(std::move(converter)),
      windows_(windows),
      states_(std::make_unique<PrefixStates>(windows)) {
  require_windows(windows, converter_->source().config());
}

CandidateMeter::~CandidateMeter() = default;

std::vector<double> CandidateMeter::losses(const search::Grouping& grouping,
                                           const MergeRecipe& recipe, RefitScope scope,
                                           std::stop_token stop) const {
  const LanguageModel model = converter_->convert(grouping, recipe, stop, scope);
  const std::lock_guard one_at_a_time(states_->mutex());
  const at::NoGradGuard no_gradients;
  const States states = states_->run(model.decoder(), prefix_keys(grouping, recipe, scope), stop);
  std::vector<double> losses(windows_.size());
  const std::size_t batch = batch_windows(windows_);
  for_each_batch(windows_.size(), batch, model.decoder().options().device, stop,
                 [&](std::size_t begin, std::size_t) {
                   batch_losses(model.decoder(), states[begin / batch], windows_, begin, losses);
                 });
  for (const double loss : losses) require_finite_loss(loss, model.pretrained());
  return losses;
}

std::vector<WindowScore> CandidateMeter::scores(const search::Grouping& grouping,
                                                const MergeRecipe& recipe, RefitScope scope,
                                                std::stop_token stop) const {
  const LanguageModel model = converter_->convert(grouping, recipe, stop, scope);
  const std::lock_guard one_at_a_time(states_->mutex());
  const at::NoGradGuard no_gradients;
  const Decoder& source = converter_->source().decoder();
  if (!states_->source) {
    const search::Grouping alone = search::Grouping::uniform(
        static_cast<int>(grouping.layers.size()),
        search::Partition::singletons(grouping.layers.front().keys.heads()));
    states_->source = states_->run(source, prefix_keys(alone, recipe, scope), stop);
  }
  const States states = states_->run(model.decoder(), prefix_keys(grouping, recipe, scope), stop);
  std::vector<WindowScore> scores(windows_.size());
  const std::size_t batch = batch_windows(windows_);
  for_each_batch(windows_.size(), batch, source.options().device, stop,
                 [&](std::size_t begin, std::size_t) {
                   batch_scores(model.decoder(), states[begin / batch], source,
                                (*states_->source)[begin / batch], windows_, begin, scores);
                 });
  for (const WindowScore& score : scores) require_finite_loss(score.loss, model.pretrained());
  return scores;
}

}  // namespace regroup::models
