#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "fitness/rank_agreement.hpp"
#include "runs/correlate/grouping_samples.hpp"

namespace regroup::runs {

/// What proxies are compared with.
struct Measure {
  const char* name;   ///< in files
  const char* title;  ///< for people
  double (*value)(const GroupingSample& sample);
};

/// KL first: it is the primary measure of a conversion (METHODS §9).
extern const std::array<Measure, 2> kMeasures;

/// Which groupings are ranked among each other.
struct RankScope {
  const char* name;   ///< in files
  const char* title;  ///< for people
  /// Apart for every value of this; one sample if it is always the same. Absent: not in the scope.
  std::optional<std::pair<double, double>> (*set)(const GroupingSample& sample);
};

extern const std::array<RankScope, 5> kRankScopes;

/// What it costs at one KV size to take the whole model that a proxy ranks first.
struct SizeRegret {
  double kv_limit = 0;
  double regret = 0;  ///< nats per token
};

/// How well one proxy stands in for one measure.
struct ProxyAgreement {
  std::array<fitness::RankAgreement, 5> ranks;  ///< by kRankScopes
  std::vector<SizeRegret> regrets;              ///< by ascending size
  double mean_regret = 0;
};

/// How the `proxy`-th price agrees with a measure. Within a set each distinct grouping counts once.
ProxyAgreement proxy_agreement(std::span<const GroupingSample> samples, std::size_t proxy,
                               const Measure& measure);

/// How well the order by one measure before training, or by one price, tells the order of the
/// change of the loss after it.
struct UptrainedAgreement {
  std::string ranked_by;  ///< a measure's name or a proxy's
  /// Of whole models, by the scope's name: over all, and at each size.
  std::vector<std::pair<std::string, fitness::RankAgreement>> ranks;
};

/// Of every measure and every proxy; all samples of whole models must have been trained.
std::vector<UptrainedAgreement> uptrained_agreements(std::span<const GroupingSample> samples,
                                                     std::span<const std::string> proxies);

}  // namespace regroup::runs
