#include "runs/correlate/proxy_agreement.hpp"

#include <map>
#include <set>
#include <utility>

namespace regroup::runs {
namespace {

using SetId = std::pair<double, double>;

std::optional<SetId> all_layers(const GroupingSample& sample) {
  if (!sample.layer) return std::nullopt;
  return SetId{};
}

std::optional<SetId> each_layer(const GroupingSample& sample) {
  if (!sample.layer) return std::nullopt;
  return SetId{*sample.layer, 0};
}

std::optional<SetId> each_layer_and_count(const GroupingSample& sample) {
  if (!sample.layer) return std::nullopt;
  return SetId{*sample.layer, sample.groups};
}

std::optional<SetId> all_models(const GroupingSample& sample) {
  if (sample.layer) return std::nullopt;
  return SetId{};
}

std::optional<SetId> each_size(const GroupingSample& sample) {
  if (sample.layer) return std::nullopt;
  return SetId{sample.kv_limit, 0};
}

double kl_of(const GroupingSample& sample) {
  return sample.kl.mean;
}

double delta_loss_of(const GroupingSample& sample) {
  return sample.delta_loss.mean;
}

/// The sets of a scope, ascending.
std::map<SetId, fitness::PricedSample> sets_of(std::span<const GroupingSample> samples,
                                               const RankScope& scope, std::size_t proxy,
                                               const Measure& measure) {
  std::map<SetId, fitness::PricedSample> sets;
  std::set<std::pair<SetId, search::Grouping>> seen;
  for (const GroupingSample& sample : samples) {
    const auto id = scope.set(sample);
    if (!id || !seen.emplace(*id, sample.grouping).second) continue;
    sets[*id].prices.push_back(sample.prices[proxy]);
    sets[*id].measured.push_back(measure.value(sample));
  }
  return sets;
}

fitness::RankAgreement ranks_of(const std::map<SetId, fitness::PricedSample>& sets) {
  std::vector<fitness::PricedSample> samples;
  for (const auto& [id, sample] : sets) samples.push_back(sample);
  return fitness::rank_agreement(samples);
}

}  // namespace

const std::array<Measure, 2> kMeasures = {
    Measure{"kl", "KL(source || converted)", kl_of},
    Measure{"delta_loss", "change of the loss", delta_loss_of}};

const std::array<RankScope, 5> kRankScopes = {
    RankScope{"layers", "layers", all_layers}, RankScope{"within_layer", "each layer", each_layer},
    RankScope{"within_count", "each count", each_layer_and_count},
    RankScope{"models", "models", all_models}, RankScope{"within_size", "each size", each_size}};

ProxyAgreement proxy_agreement(std::span<const GroupingSample> samples, std::size_t proxy,
                               const Measure& measure) {
  ProxyAgreement agreement;
  for (std::size_t s = 0; s < kRankScopes.size(); ++s) {
    agreement.ranks[s] = ranks_of(sets_of(samples, kRankScopes[s], proxy, measure));
  }
  for (const auto& [id, sample] : sets_of(samples, kRankScopes.back(), proxy, measure)) {
    agreement.regrets.push_back({id.first, fitness::regret(sample)});
    agreement.mean_regret += agreement.regrets.back().regret;
  }
  agreement.mean_regret /= static_cast<double>(agreement.regrets.size());
  return agreement;
}

}  // namespace regroup::runs
