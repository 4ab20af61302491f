#include "models/language_model/label_scores.hpp"

#include <algorithm>
#include <utility>

#include "models/passes/target_ranks.hpp"
#include "models/passes/token_losses.hpp"
#include "models/passes/window_checks.hpp"
#include "search/base/error.hpp"

namespace regroup::models {

bool has_labels(const ModelConfig& config) {
  return config.has_head && config.kind != ModelKind::kMasked;
}

std::vector<LabelScore> label_scores(const LanguageModel& model, const Windows& windows,
                                     std::stop_token stop, search::Progress& progress) {
  require_windows(windows, model.config());
  if (!has_labels(model.config())) {
    throw InputError(
        {.what = "data have no labels for this model", .where = model.config().architecture});
  }
  const Transformer& transformer = model.transformer();
  std::vector<double> losses(windows.size());
  std::vector<LabelScore> scores(windows.size());
  for_each_states(
      transformer, windows, std::move(stop), [&](const at::Tensor& states, WindowRange range) {
        batch_means(transformer, states, windows, range, TokenMeasure::kLoss, losses);
        const auto ranks = batch_target_ranks(transformer, states, windows, range);
        auto next = ranks.begin();
        for (std::size_t w = range.begin; w < range.end; ++w) {
          const auto last = next + static_cast<std::ptrdiff_t>(windows.tokens(w, w + 1));
          scores[w] = {losses[w], std::all_of(next, last, [](int r) { return r == 0; })};
          next = last;
        }
        progress.advance(windows.tokens(range.begin, range.end));
      });
  for (const LabelScore& score : scores) require_finite_loss(score.loss, model.pretrained());
  return scores;
}

}  // namespace regroup::models
