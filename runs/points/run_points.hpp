#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "fitness/bootstrap.hpp"
#include "fitness/loss_estimate.hpp"
#include "models/grouping/grouping_compute.hpp"
#include "models/recipes/merge_recipe.hpp"
#include "runs/plan/plan_parts.hpp"
#include "search/method/method.hpp"

namespace regroup::runs {

/// Points that a run shows beside its own, found with other means.
struct ComparedFront {
  std::string series;  ///< "paper"
  std::string method;  ///< as in files
  models::MergeRecipe recipe;
  std::vector<search::ModelPoint>
      front;  ///< by ascending size, with the error of the run's fitness
};

/// What was measured of a model with one type of KV cache.
struct CacheMeasures {
  models::CacheType type = models::CacheType::kExact;
  fitness::LossEstimate loss;
  fitness::LossEstimate delta;       ///< against the source with its plain cache, paired
  fitness::LossEstimate divergence;  ///< KL(source ‖ this), nats per token
  double agreement = 0;              ///< with the source's most likely token, share
};

/// One grouping of a run's result: a row of front.json.
struct RunPoint {
  std::string series;  ///< "search", "paper", or a baseline: "neighbour", "mqa", "random"
  std::string method;  ///< "qcqa-ac"
  models::MergeRecipe recipe;
  search::ModelPoint point;                             ///< with the error of the run's own fitness
  std::vector<std::pair<std::string, double>> proxies;  ///< error by fitness, in the table's order
  std::optional<double> kv_limit;                       ///< of --kv, that this point answers
  std::optional<fitness::LossEstimate> loss;
  std::optional<fitness::LossEstimate> delta;  ///< against the source, paired
  bool on_front = false;
  std::string name;                                      ///< of the grouping file, less ".json"
  std::optional<fitness::Interval> delta_interval = {};  ///< of `delta`, 95 %, bootstrap
  std::optional<fitness::LossEstimate> divergence = {};  ///< KL(source ‖ point), nats per token
  std::optional<fitness::LossEstimate> accuracy = {};    ///< where the task has one, share
  std::optional<double> agreement = {};      ///< with the source's most likely token, share
  std::optional<double> search_better = {};  ///< of a baseline: how sure the search's point wins
  /// Multiplications of a decoded token, relative to the source; absent in runs whose groups are
  /// all as wide as a head, unless it is asked for.
  std::optional<double> compute = {};
  std::vector<CacheMeasures> caches = {};  ///< of the run's other cache types, in their order
  /// Loss after a training, and its difference from the source, paired.
  std::optional<fitness::LossEstimate> uptrained = {};
  std::optional<fitness::LossEstimate> uptrained_delta = {};
};

/// How a run's own points are named and merged, and how many of them are looked at.
struct OwnSeries {
  std::string method;  ///< as in files
  models::MergeRecipe recipe;
  Measuring measuring;
};

/// Of a whole front the points to look at: at most --measure of them spread over the sizes.
std::vector<search::ModelPoint> shown_points(const Measuring& measuring,
                                             const search::GroupingProblem& problem,
                                             const std::vector<search::ModelPoint>& front);

/// The points of a run, not measured: of the method's front the ones to look at (with KV limits the
/// best within each limit, else at most --measure of them spread over the sizes), then the
/// paper's recipe where it is compared, and baselines at the same sizes: neighbour GQA with the
/// most groups that fit, MQA, and three random draws. Baselines are mean-merged. Series in this
/// order, each by ascending size.
std::vector<RunPoint> choose_points(const OwnSeries& own, const std::vector<double>& kv_limits,
                                    const search::GroupingProblem& problem,
                                    const search::MethodResult& found,
                                    const std::optional<ComparedFront>& paper,
                                    search::RandomKey key);

/// Says of every point what it computes, if `is_asked` or any has groups of another width than a
/// head.
void fill_compute(std::vector<RunPoint>& points, const models::GroupingCompute& compute,
                  bool is_asked);

/// Marks the points that no other one beats in size and loss (in the proxy, where nothing is
/// measured), or, `by_compute`, in size, loss and compute.
void mark_front(std::vector<RunPoint>& points, bool by_compute = false);

}  // namespace regroup::runs
