#include "search/key_norm/key_norm_methods.hpp"

#include <algorithm>
#include <array>
#include <map>

#include "search/base/error.hpp"
#include "search/costs/allocation.hpp"
#include "search/problem/baselines.hpp"

namespace regroup::search {
namespace {

constexpr std::array kDgqaKinds = {Named<DgqaKind>{"diff", DgqaKind::kDiff},
                                   Named<DgqaKind>{"ema", DgqaKind::kEma}};

}  // namespace

std::vector<Option> KeyNormMethod::options() {
  if (deal_ == KeyNormDeal::kOnce) return {};
  return {{"--dgqa", "dgqa", "",
           "What method dgqa deals by: the change of the key norms from one calibration window to "
           "the next (diff), or their moving average (ema)",
           names_of(kind_, kDgqaKinds)}};
}

std::vector<Group> KeyNormMethod::allocation(const std::vector<Eigen::MatrixXd>& windows,
                                             const Partition& pooled, int queries,
                                             RandomKey key) const {
  const std::vector<std::vector<double>> norms = pooled_norms(windows, pooled);
  return allocate_in_order(deal_ == KeyNormDeal::kOnce ? deal_kdgqa(summed_norms(norms), queries)
                                                       : deal_dgqa(norms, queries, kind_, key));
}

Grouping KeyNormMethod::allocated(Grouping pooled, const GroupingRules& rules,
                                  const KeyGrams& grams, RandomKey key) const {
  for (std::size_t i = 0; i < pooled.layers.size(); ++i) {
    if (std::ranges::count(rules.frozen_layers, static_cast<int>(i)) > 0) continue;
    LayerGrouping& layer = pooled.layers[i];
    layer.query_to_group = allocation(grams.layers[i], layer.keys, grams.query_heads, key.split(i));
  }
  return pooled;
}

MethodResult KeyNormMethod::run(const GroupingProblem& problem,
                                const MethodContext& context) const {
  if (context.key_grams == nullptr) throw WorkError({.what = "key norms need calibration"});
  std::map<double, ModelPoint> cheapest;  // by size
  MethodResult result;
  for (int groups = 1; groups <= problem.heads(); ++groups) {
    if (context.stop.stop_requested()) throw Interrupted();
    const ModelPoint point = problem.point(
        allocated(neighbour_grouping(problem, groups), problem.rules(), *context.key_grams,
                  context.key.split(static_cast<std::uint64_t>(groups))));
    ++result.evaluations;
    if (point.objectives.size > problem.kv_heads_limit()) continue;
    const auto [kept, is_first] = cheapest.try_emplace(point.objectives.size, point);
    if (!is_first && point.objectives.error < kept->second.objectives.error) kept->second = point;
  }
  for (const auto& [size, point] : cheapest) result.front.push_back(point);
  return result;
}

}  // namespace regroup::search
