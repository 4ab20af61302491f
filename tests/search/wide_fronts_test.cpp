// Fronts over groups of several widths.

#include <cmath>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <tuple>

#include "search/costs/filled_cost.hpp"
#include "search/costs/gram_cost.hpp"
#include "search/exact/exact_method.hpp"
#include "search/exact/free_widths.hpp"
#include "search/exact/joined_fronts.hpp"
#include "search/exact/mixed_widths.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/near.hpp"
#include "tests/support/random_tables.hpp"
#include "tests/support/run_method.hpp"

using namespace regroup;
using namespace regroup::search;
using namespace regroup::tests;

namespace {

constexpr int kWideHeads = 5;
constexpr int kHeadDim = 8;

/// A table that costs a part of another's.
class PartOfCost : public CostTable {
 public:
  PartOfCost(std::shared_ptr<const CostTable> whole, double part)
      : whole_(std::move(whole)), part_(part) {}
  int heads() const override { return whole_->heads(); }
  double group_cost(std::span<const Head> members) const override {
    return part_ * whole_->group_cost(members);
  }

 private:
  std::shared_ptr<const CostTable> whole_;
  double part_;
};

/// What groups as wide as `multiple` heads cost in each of three random layers.
GroupingProblem problem_of(int multiple, GroupingRules rules = {}) {
  std::vector<LayerCosts> layers;
  for (int layer = 0; layer < 3; ++layer) {
    const Eigen::MatrixXd vectors =
        random_vectors(kWideHeads, 6, RandomKey(4).split(static_cast<std::uint64_t>(layer)));
    const std::shared_ptr<const CostTable> narrow =
        std::make_shared<const GramCost>(vectors * vectors.transpose());
    const auto wide = std::make_shared<const FilledCost>(
        std::make_shared<const PartOfCost>(narrow, 0.4 / multiple), multiple, 100, narrow);
    const std::shared_ptr<const CostTable> own = multiple == 1 ? narrow : wide;
    layers.push_back({own, own, std::make_shared<const PartOfCost>(own, 2)});
  }
  rules.multiples = {multiple, multiple, kHeadDim};
  return {std::move(layers), std::move(rules)};
}

/// Least cost for every size, of all choices of partitions and of a width among `multiples` for
/// each layer, or for all alike.
std::map<double, double> enumerated(const std::vector<int>& multiples, bool may_mix) {
  std::vector<GroupingProblem> problems;
  for (const int multiple : multiples) problems.push_back(problem_of(multiple));
  std::map<double, double> best;
  const std::function<void(std::size_t, int, double, double)> extend =
      [&](std::size_t layer, int width, double size, double cost) {
        if (layer == problems[0].units().size()) {
          const auto [entry, fresh] = best.emplace(size, cost);
          if (!fresh) entry->second = std::min(entry->second, cost);
          return;
        }
        for (std::size_t w = 0; w < problems.size(); ++w) {
          if (!may_mix && width >= 0 && std::cmp_not_equal(w, width)) continue;
          const Unit& unit = problems[w].units()[layer];
          for (const auto& [groups, least] : enumerated_costs(*unit.costs, false)) {
            if (std::ranges::count(unit.group_counts, groups) == 0) continue;
            extend(layer + 1, static_cast<int>(w), size + unit.kv_heads_per_group * groups,
                   cost + least);
          }
        }
      };
  extend(0, -1, 0, 0);
  std::map<double, double> front;
  double least = 1e300;
  for (const auto& [size, cost] : best) {
    if (cost >= least) continue;
    least = cost;
    front[size] = cost;
  }
  return front;
}

void check_front(const std::vector<ModelPoint>& found, const std::map<double, double>& expected) {
  REQUIRE(found.size() == expected.size());
  auto wanted = expected.begin();
  for (const ModelPoint& point : found) {
    CHECK(point.objectives.size == wanted->first);
    CHECK(point.objectives.error == near(wanted->second, 1e-12));
    CHECK(point.grouping.size() == point.objectives.size);
    ++wanted;
  }
}

/// The problems by one, two and four heads, and what the exact method finds of each.
struct Solved {
  std::vector<GroupingProblem> problems;
  std::vector<MethodResult> results;
};

Solved solved() {
  Solved all;
  for (const int multiple : {1, 2, 4}) {
    all.problems.push_back(problem_of(multiple));
    all.results.push_back(run_method("exact", all.problems.back(), 1));
  }
  return all;
}

}  // namespace

TEST_CASE("groups that do not fill their width are never the best") {
  const GroupingProblem wide = problem_of(2);
  CHECK(wide.units()[0].group_counts == std::vector<int>{1, 2});
  CHECK(wide.source_kv_heads() == 2 * 3 * kWideHeads);
  const MethodResult found = run_method("exact", wide, 1);
  for (const ModelPoint& point : found.front) {
    for (const LayerGrouping& layer : point.grouping.layers) {
      REQUIRE(layer.widths);
      CHECK(layer.widths->keys.front() == 2 * kHeadDim);
      for (const auto& members : layer.keys.member_ids()) CHECK(members.size() >= 2);
    }
  }
}

TEST_CASE("frozen layers keep their heads beside wide groups") {
  GroupingRules rules;
  rules.frozen_layers = {1};
  rules.multiples = {2, 2, kHeadDim};
  CHECK(rules.multiples_of(1).are_heads());
  CHECK(rules.multiples_of(0).keys == 2);
}

TEST_CASE("the joined front is the best of each width alone") {
  std::vector<GroupingProblem> problems;
  std::vector<std::vector<ModelPoint>> fronts;
  std::vector<FrontBounds> bounds;
  for (const int multiple : {1, 2, 4}) {
    problems.push_back(problem_of(multiple));
    const MethodResult found = run_method("exact", problems.back(), 1);
    fronts.push_back(found.front);
    bounds.push_back(*found.bounds);
  }
  const std::vector<ModelPoint> front = joined_front(fronts);
  check_front(front, enumerated({1, 2, 4}, false));
  const FrontBounds joined = joined_bounds(bounds);
  CHECK(joined.is_exact);
  for (const ModelPoint& point : front) {
    const auto bound = std::ranges::find(joined.bounds, point.objectives.size, &Objectives::size);
    REQUIRE(bound != joined.bounds.end());
    CHECK(bound->error == near(point.objectives.error, 1e-12));
  }
}

TEST_CASE("the mixed front is the best of all choices of a width by layer") {
  const auto [problems, results] = solved();
  std::vector<WidthUnits> units;
  for (std::size_t w = 0; w < problems.size(); ++w) units.push_back({&problems[w], &results[w]});
  const std::vector<ModelPoint> front = mixed_front(units);
  check_front(front, enumerated({1, 2, 4}, true));
  const FrontBounds bounds = mixed_bounds(units);
  CHECK(bounds.is_exact);
  CHECK(bounds.bounds.back().error == near(front.back().objectives.error, 1e-12));
}

TEST_CASE("free widths are dealt at the least cost for every size") {
  RandomStream random{RandomKey(9)};
  const FreeWidthModel model{.heads = 3, .head_dim = 4, .size_limit = 12};
  std::vector<LayerCurves> layers(2);
  for (LayerCurves& layer : layers) {
    for (std::vector<WidthPrice>* curve : {&layer.keys, &layer.values}) {
      double cost = 20;
      for (int width = 4; width <= 12; width += 2) {
        curve->push_back({width, width == 12 ? 0 : cost});
        cost *= random.unit();
      }
    }
  }
  std::map<double, double> best;
  for (const WidthPrice& a : layers[0].keys) {
    for (const WidthPrice& b : layers[0].values) {
      for (const WidthPrice& c : layers[1].keys) {
        for (const WidthPrice& d : layers[1].values) {
          const double size = (a.width + b.width + c.width + d.width) / 4.0;
          const double cost = a.cost + b.cost + c.cost + d.cost;
          const auto [entry, fresh] = best.emplace(size, cost);
          if (!fresh) entry->second = std::min(entry->second, cost);
        }
      }
    }
  }
  std::map<double, double> front;
  double least = 1e300;
  for (const auto& [size, cost] : best) {
    if (cost >= least) continue;
    least = cost;
    front[size] = cost;
  }
  const std::vector<ModelPoint> found = free_width_front(model, layers);
  check_front(found, front);
  // With all its widths a layer is the source's.
  CHECK(found.back().grouping.is_source());
  CHECK_FALSE(found.front().grouping.is_source());
  const std::vector<ModelPoint> limited =
      free_width_front({.heads = 3, .head_dim = 4, .size_limit = 6.2}, layers);
  CHECK(limited.back().objectives.size <= 6.2);
}

TEST_CASE("choices by size, cost and compute contain the exact front and trade compute for it") {
  const auto [problems, results] = solved();
  std::vector<WidthUnits> units;
  for (std::size_t w = 0; w < problems.size(); ++w) {
    WidthUnits own{&problems[w], &results[w], {}};
    for (const UnitFront& front : results[w].units) {
      // Wider heads multiply more, and more groups a little.
      own.compute.emplace_back();
      for (const FrontMember& member : front) {
        own.compute.back().push_back(std::pow(2.0, static_cast<double>(w)) +
                                     0.01 * member.partition.groups());
      }
    }
    units.push_back(own);
  }
  const QuietContext context(7);
  const std::vector<ModelPoint> front = mixed_compute_front(units, *context);
  // Every triple that some choice reaches and none beats, by looking at all of them.
  std::vector<Objectives> all = {{}};
  for (std::size_t u = 0; u < problems[0].units().size(); ++u) {
    std::vector<Objectives> longer;
    for (const Objectives& sum : all) {
      for (std::size_t w = 0; w < units.size(); ++w) {
        for (std::size_t i = 0; i < results[w].units[u].size(); ++i) {
          const FrontMember& member = results[w].units[u][i];
          longer.push_back(
              {sum.size + problems[w].units()[u].kv_heads_per_group * member.partition.groups(),
               sum.error + member.cost, sum.compute + units[w].compute[u][i]});
        }
      }
    }
    all = std::move(longer);
  }
  const std::vector<int> ranks = non_dominated_ranks(all);
  std::set<std::tuple<double, double, double>> wanted;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (ranks[i] == 0) wanted.emplace(all[i].size, all[i].error, all[i].compute);
  }
  std::set<std::tuple<double, double, double>> found;
  for (const ModelPoint& point : front) {
    found.emplace(point.objectives.size, point.objectives.error, point.objectives.compute);
    CHECK(point.grouping.size() == point.objectives.size);
  }
  CHECK(found == wanted);
}
