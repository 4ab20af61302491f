#pragma once

#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "fitness/loss_estimate.hpp"
#include "runs/correlate/correlate_inputs.hpp"
#include "search/base/progress.hpp"
#include "search/base/random.hpp"
#include "search/exact/exact_units.hpp"
#include "search/problem/problem.hpp"

namespace regroup::runs {

/// One proxy's prices of the model's groupings, and the cheapest of them. Keys and values share
/// their partitions, so that units are layers.
struct PricedProxy {
  std::string name;
  search::GroupingProblem problem;
  /// The cheapest partition of each layer for every number of groups; empty for more heads than can
  /// be solved exactly.
  std::vector<search::ProvenUnit> layers;
  std::vector<search::ModelPoint> front;  ///< the cheapest grouping of every size; empty likewise
};

/// A grouping that is priced and measured. With `layer`, only that layer is grouped.
struct GroupingSample {
  std::optional<int> layer = {};
  int groups = 0;       ///< of that layer
  double kv_limit = 0;  ///< of a whole model: the size that it was drawn for
  /// "random", "all", "neighbour", the proxy that it is the cheapest for; several joined by "+".
  std::string origin = {};
  search::Grouping grouping = {};
  std::vector<double> prices = {};  ///< by each proxy
  fitness::LossEstimate delta_loss = {};
  fitness::LossEstimate kl = {};
  std::optional<fitness::LossEstimate> uptrained_delta = {};  ///< of the loss, after a training
};

/// Prices the model by every fitness and finds the cheapest groupings of each whose layers are
/// small (search::is_small). Throws Interrupted.
std::vector<PricedProxy> price_proxies(const models::PretrainedModel& model,
                                       const models::Calibration& calibration,
                                       const models::MergeRecipe& recipe, std::stop_token stop,
                                       search::Progress& progress);

/// Which groupings stand beside neighbour GQA and the proxies' cheapest.
struct SampleDraws {
  bool all = false;  ///< every one there is; else
  int random = 0;    ///< so many random ones of each set
  search::RandomKey key;
};

/// Groupings of one layer each: for every layer and number of groups the neighbour partition, each
/// proxy's cheapest and those that are drawn. Equal ones stand there once, with all their origins.
std::vector<GroupingSample> layer_samples(std::span<const PricedProxy> proxies,
                                          std::span<const int> group_counts,
                                          const SampleDraws& draws);

/// Groupings of the whole model: for every size neighbour GQA, each proxy's cheapest and those that
/// are drawn, with random numbers of groups and random partitions. Throws InputError if all of them
/// are asked for and too many (GroupingEnumeration).
std::vector<GroupingSample> model_samples(std::span<const PricedProxy> proxies,
                                          std::span<const KvSize> sizes, const SampleDraws& draws);

}  // namespace regroup::runs
