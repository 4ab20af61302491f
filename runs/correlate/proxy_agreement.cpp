#include "runs/correlate/proxy_agreement.hpp"

#include <functional>
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

/// What a grouping is ranked by, or what the ranking is compared with.
using Value = std::function<double(const GroupingSample& sample)>;

/// The sets of a scope, ascending.
std::map<SetId, fitness::PricedSample> sets_of(std::span<const GroupingSample> samples,
                                               const RankScope& scope, const Value& price,
                                               const Value& measured) {
  std::map<SetId, fitness::PricedSample> sets;
  std::set<std::pair<SetId, search::Grouping>> seen;
  for (const GroupingSample& sample : samples) {
    const auto id = scope.set(sample);
    if (!id || !seen.emplace(*id, sample.grouping).second) continue;
    sets[*id].prices.push_back(price(sample));
    sets[*id].measured.push_back(measured(sample));
  }
  return sets;
}

Value price_of(std::size_t proxy) {
  return [proxy](const GroupingSample& sample) { return sample.prices[proxy]; };
}

double uptrained_of(const GroupingSample& sample) {
  return sample.uptrained_delta->mean;
}

/// Those of whole models.
std::span<const RankScope> model_scopes() {
  return std::span(kRankScopes).subspan(3);
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
    agreement.ranks[s] = ranks_of(sets_of(samples, kRankScopes[s], price_of(proxy), measure.value));
  }
  for (const auto& [id, sample] :
       sets_of(samples, kRankScopes.back(), price_of(proxy), measure.value)) {
    agreement.regrets.push_back({id.first, fitness::regret(sample)});
    agreement.mean_regret += agreement.regrets.back().regret;
  }
  agreement.mean_regret /= static_cast<double>(agreement.regrets.size());
  return agreement;
}

std::vector<UptrainedAgreement> uptrained_agreements(std::span<const GroupingSample> samples,
                                                     std::span<const std::string> proxies) {
  std::vector<UptrainedAgreement> agreements;
  const auto add = [&](std::string name, const Value& price) {
    UptrainedAgreement agreement{std::move(name), {}};
    for (const RankScope& scope : model_scopes()) {
      const auto sets = sets_of(samples, scope, price, uptrained_of);
      agreement.ranks.emplace_back(scope.name, ranks_of(sets));
    }
    agreements.push_back(std::move(agreement));
  };
  for (const Measure& measure : kMeasures) add(measure.name, measure.value);
  for (std::size_t p = 0; p < proxies.size(); ++p) add(proxies[p], price_of(p));
  return agreements;
}

}  // namespace regroup::runs
