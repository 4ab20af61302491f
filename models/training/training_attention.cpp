#include "models/training/training_attention.hpp"

#include <fmt/format.h>

#include <memory>
#include <set>
#include <vector>

#include "models/attention/dealt_attention.hpp"
#include "models/attention/perturbed_attention.hpp"
#include "models/pretrained/attention_names.hpp"
#include "search/base/error.hpp"

namespace regroup::models {
namespace {

DealKind kind_of(DealName name) {
  switch (name) {
    case DealName::kDgqaDiff:
      return DealKind::kDgqaDiff;
    case DealName::kDgqaEma:
      return DealKind::kDgqaEma;
    default:
      return DealKind::kKdgqa;
  }
}

void require_shared_groups(const search::LayerGrouping& layer, std::size_t number,
                           const char* option) {
  if (layer.shares_partition() && !layer.widths) return;
  throw InputError({.what = "training of this kind needs other groups",
                    .where = fmt::format("{}, layer {}", option, number),
                    .expected = "keys and values that share groups, as wide as a head"});
}

/// The rows (or, of an output's columns, none) of the stored heads that are read.
at::Tensor rows_of_heads(const at::Tensor& stored, const std::vector<std::int64_t>& heads,
                         std::int64_t count) {
  if (!stored.defined()) return stored;
  const at::Tensor by_head = stored.unflatten(0, {count, -1});
  return by_head.index_select(0, at::tensor(heads, at::kLong)).flatten(0, 1);
}

/// The layer without stored heads that no query head reads.
MergedAttention without_unread(MergedAttention layer) {
  const HeadMap map = layer.key_map;
  const std::set<int> read(map.stored_of_query().begin(), map.stored_of_query().end());
  const std::vector<std::int64_t> heads(read.begin(), read.end());
  std::vector<int> places(static_cast<std::size_t>(map.stored()));
  for (std::size_t i = 0; i < heads.size(); ++i) {
    places[static_cast<std::size_t>(heads[i])] = static_cast<int>(i);
  }
  std::vector<int> stored;
  for (const int head : map.stored_of_query()) {
    stored.push_back(places[static_cast<std::size_t>(head)]);
  }
  AttentionWeights& w = layer.weights;
  for (at::Tensor* part : {&w.key, &w.key_bias, &w.key_norm, &w.value, &w.value_bias}) {
    *part = rows_of_heads(*part, heads, map.stored());
  }
  layer.key_map = layer.value_map = HeadMap(stored, static_cast<int>(heads.size()));
  return layer;
}

}  // namespace

Transformer with_training_attention(const Transformer& model, const search::Grouping& grouping,
                                    const TrainingOptions& options, search::RandomKey key) {
  Transformer result = model;
  if (!options.deal && !options.noise) return result;
  const char* option = options.deal ? "--deal" : "--noise";
  for (std::size_t layer = 0; layer < grouping.layers.size(); ++layer) {
    if (grouping.layers[layer].is_source()) continue;
    require_shared_groups(grouping.layers[layer], layer, option);
    const auto inner =
        std::make_shared<const DotProductAttention>(as_dot_product(model.attention(layer), option));
    if (options.deal) {
      const DealRule rule{kind_of(*options.deal), options.window, key.split(layer)};
      result.replace_attention(layer, std::make_shared<const DealtAttention>(inner, rule));
    } else {
      const NoiseForm form =
          *options.noise == NoiseName::kPaper ? NoiseForm::kPaper : NoiseForm::kCode;
      result.replace_attention(
          layer, std::make_shared<const PerturbedAttention>(inner, form, options.noisy_validation));
    }
  }
  return result;
}

search::Grouping dealt_grouping(const Transformer& model, search::Grouping grouping,
                                const TrainingOptions& options) {
  if (!options.deal) return grouping;
  for (std::size_t layer = 0; layer < grouping.layers.size(); ++layer) {
    search::LayerGrouping& own = grouping.layers[layer];
    if (own.is_source()) continue;
    own.query_to_group.clear();
    const MergedAttention folded = model.attention(layer).fold();
    for (const int head : folded.key_map.stored_of_query()) {
      own.query_to_group.push_back(search::Group(static_cast<search::Label>(head)));
    }
  }
  return grouping;
}

WeightOverlay trained_overlay(const Transformer& model, const search::Grouping& grouping,
                              const PretrainedModel& pretrained, const TrainingOptions& options) {
  const WeightOverlay all = model.overlay();
  if (!options.deal) return all;
  WeightOverlay result;
  std::set<std::string> dealt;
  for (std::size_t layer = 0; layer < grouping.layers.size(); ++layer) {
    const auto number = static_cast<int>(layer);
    if (grouping.layers[layer].is_source()) {
      if (all.heads(number) != nullptr) result.set_heads(number, *all.heads(number));
      continue;
    }
    result.set_heads(number, without_unread(model.attention(layer).fold()));
    const AttentionNames names(pretrained, number);
    for (const AttentionPart& part : kAttentionParts) dealt.insert(names(part.name));
  }
  for (const auto& [name, tensor] : all.tensors()) {
    if (!dealt.contains(name)) result.set(name, tensor);
  }
  return result;
}

}  // namespace regroup::models
