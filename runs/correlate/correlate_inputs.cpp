#include "runs/correlate/correlate_inputs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "models/recipes/mergeable.hpp"
#include "runs/inputs/open_model.hpp"
#include "runs/inputs/sampled_text.hpp"
#include "runs/inputs/spared_memory.hpp"
#include "search/base/error.hpp"
#include "search/groupings/grouping.hpp"
#include "search/problem/enumeration.hpp"

namespace regroup::runs {
namespace {

/// Sizes that are looked at where none are asked for, as far as the model reaches them.
constexpr std::array kDefaultKvSizes = {0.125, 0.25, 0.375, 0.5, 0.75};

/// One partition for keys and values: sizes are even.
KvSize size_of(double limit, int source) {
  return {limit, search::kv_heads_within(limit, source) / 2 * 2};
}

std::vector<KvSize> asked_sizes(const CorrelateOptions& options, int source, int smallest) {
  std::vector<KvSize> sizes;
  for (const double limit : options.kv) {
    sizes.push_back(size_of(limit, source));
    if (sizes.back().kv_heads >= smallest) continue;
    throw InputError({.what = "KV size is below the smallest that can be reached",
                      .where = "--kv",
                      .expected = fmt::format("at least {}, one group in every layer",
                                              static_cast<double>(smallest) / source),
                      .found = fmt::format("{}", limit)});
  }
  return sizes;
}

std::vector<KvSize> default_sizes(const models::PretrainedModel& model, int source, int smallest) {
  std::vector<KvSize> sizes;
  for (const double limit : kDefaultKvSizes) {
    const KvSize size = size_of(limit, source);
    if (size.kv_heads >= smallest) sizes.push_back(size);
  }
  if (!sizes.empty()) return sizes;
  throw InputError({.what = "the model has too few KV heads to group",
                    .where = model.checkpoint.config_where(),
                    .expected = "at least 2 in a layer",
                    .found = std::to_string(model.config.kv_heads)});
}

std::vector<KvSize> kv_sizes(const CorrelateOptions& options,
                             const models::PretrainedModel& model) {
  const int source = model.config.stored_kv_heads();
  const int smallest = 2 * model.config.layers;
  std::vector<KvSize> sizes = options.kv.empty() ? default_sizes(model, source, smallest)
                                                 : asked_sizes(options, source, smallest);
  const auto same = [](const KvSize& a, const KvSize& b) { return a.kv_heads == b.kv_heads; };
  sizes.erase(std::unique(sizes.begin(), sizes.end(), same), sizes.end());
  return sizes;
}

/// Numbers of groups that make a single layer about as small as the sizes make the model.
std::vector<int> layer_group_counts(const std::vector<KvSize>& sizes, int heads) {
  std::vector<int> counts;
  for (const KvSize& size : sizes) {
    const int groups = search::kv_heads_within(size.limit, heads);
    if (groups >= 1 && groups < heads) counts.push_back(groups);
  }
  counts.erase(std::unique(counts.begin(), counts.end()), counts.end());
  return counts;
}

/// The last quarter of the text's windows is held back to measure on.
CorrelateTexts split_text(models::Dataset data, const models::Windows& all) {
  if (all.size() < 2) {
    throw InputError({.what = "text is too short to keep a part of it to measure on",
                      .where = data.file.string(),
                      .expected = fmt::format(
                          "at least 2 windows of {} tokens, or --selection FILE", all.context()),
                      .found = "1 window"});
  }
  const std::size_t kept = all.size() - std::max<std::size_t>(1, all.size() / 4);
  return {std::move(data), std::nullopt, all.part(0, kept), all.part(kept, all.size())};
}

CorrelateTexts open_texts(const CorrelateOptions& options, const models::PretrainedModel& model) {
  models::Dataset data = models::read_dataset(options.data, model, options.join);
  models::Windows windows =
      calibration_windows(data, model.config, static_cast<std::size_t>(options.tokens));
  if (options.selection.empty()) return split_text(std::move(data), windows);
  models::Dataset selection = models::read_dataset(options.selection, model, options.join);
  if (selection.sha256 == data.sha256) {
    throw InputError({.what = "the same data calibrate and measure",
                      .where = "--data, --selection",
                      .expected = "different texts, or --data alone, which is split",
                      .found = selection.file.string()});
  }
  models::Windows measured = calibration_windows(selection, model.config, 0);
  return {std::move(data), std::move(selection), std::move(windows), std::move(measured)};
}

}  // namespace

CorrelateInputs open_inputs(const CorrelateOptions& options, const RunLog& log) {
  auto model = open_model(options.model, log);
  models::require_equal_layers(*model);
  models::require_refit_passes(options.recipe.recipe(), model->config);
  if (options.exhaustive) {
    search::require_enumerable(model->config.layers, model->config.kv_heads);
  }
  std::vector<KvSize> sizes = kv_sizes(options, *model);
  std::vector<int> counts = layer_group_counts(sizes, model->config.kv_heads);
  CorrelateTexts texts = open_texts(options, *model);
  const std::size_t tokens = std::max(texts.calibration.tokens(), texts.measured.tokens());
  models::LanguageModel language_model(
      model, spared_memory(options.compute, *model, {options.scratch, options.output},
                           {tokens, true, true, true}, log));
  return {std::move(model), std::move(sizes), std::move(counts), std::move(texts),
          std::move(language_model)};
}

}  // namespace regroup::runs
