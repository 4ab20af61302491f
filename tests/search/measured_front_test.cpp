// The front of given options against all choices, and the one that measures few of them.

#include <cmath>
#include <limits>
#include <map>

#include "search/base/error.hpp"
#include "search/exact/measured_front.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/near.hpp"
#include "tests/support/random_tables.hpp"

using namespace regroup;
using namespace regroup::search;
using namespace regroup::tests;

namespace {

/// Calls `visit(choice)` for every choice of one option per unit.
void for_each_choice(const std::vector<UnitOptions>& options,
                     const std::function<void(const std::vector<int>&)>& visit) {
  std::vector<int> choice(options.size());
  const std::function<void(std::size_t)> extend = [&](std::size_t u) {
    if (u == options.size()) return visit(choice);
    for (std::size_t o = 0; o < options[u].size(); ++o) {
      choice[u] = static_cast<int>(o);
      extend(u + 1);
    }
  };
  extend(0);
}

/// Least cost of the sizes that no smaller one beats, over all choices that the problem allows.
std::map<int, double> enumerated_front(const GroupingProblem& problem,
                                       const std::vector<UnitOptions>& options) {
  std::map<int, double> best;
  for_each_choice(options, [&](const std::vector<int>& choice) {
    const Grouping grouping = chosen_grouping(problem, options, choice);
    const int size = grouping.kv_heads();
    const int groups = grouping.layers[0].keys.groups();
    const bool is_uniform = std::ranges::all_of(grouping.layers, [&](const LayerGrouping& layer) {
      return layer.keys.groups() == groups && layer.values.groups() == groups;
    });
    if (problem.rules().shape == GroupShape::kStandard && !is_uniform) return;
    if (size > problem.kv_heads_limit()) return;
    double cost = 0;
    for (std::size_t u = 0; u < options.size(); ++u) {
      cost += options[u][static_cast<std::size_t>(choice[u])].cost;
    }
    const auto [entry, is_new] = best.emplace(size, cost);
    if (!is_new) entry->second = std::min(entry->second, cost);
  });
  double least = std::numeric_limits<double>::infinity();
  std::erase_if(best, [&](const auto& entry) {
    if (entry.second >= least) return true;
    least = entry.second;
    return false;
  });
  return best;
}

/// Options of every unit with costs that fall with the number of groups but for noise, some below
/// 0; `copies` of each number of groups, in no order.
std::vector<UnitOptions> random_options(const GroupingProblem& problem, int copies, RandomKey key) {
  RandomStream random(key);
  std::vector<UnitOptions> result;
  for (const Unit& unit : problem.units()) {
    result.emplace_back();
    const double scale = std::exp(4 * random.unit());
    for (const int groups : unit.group_counts) {
      const double share = 1 - static_cast<double>(groups) / unit.heads();
      for (int copy = 0; copy < copies; ++copy) {
        const double cost = scale * (share * share + 0.2 * random.unit() - 0.1);
        result.back().push_back({Partition::neighbours(unit.heads(), groups), cost});
      }
    }
    random.shuffle(std::span(result.back()));
  }
  return result;
}

std::vector<GroupingRules> measured_rules() {
  return {{},
          {.sharing = PartitionSharing::kIndependent},
          {.shape = GroupShape::kStandard},
          {.min_groups = 2, .max_groups = 3},
          {.kv_heads_limit = 13}};
}

/// The true costs behind a measurement, and how often each was asked for.
class Truth {
 public:
  explicit Truth(std::vector<UnitOptions> options) : options_(std::move(options)) {}

  OptionMeasure measure() {
    return [this](std::span<const OptionId> batch) {
      CHECK(std::ranges::is_sorted(batch));
      std::vector<double> costs;
      for (const OptionId& id : batch) {
        ++asked_[id];
        costs.push_back(options_[id.unit][id.option].cost);
      }
      return costs;
    };
  }

  std::size_t asked() const { return asked_.size(); }
  bool none_twice() const {
    return std::ranges::all_of(asked_, [](const auto& entry) { return entry.second == 1; });
  }

 private:
  std::vector<UnitOptions> options_;
  std::map<OptionId, int> asked_;
};

std::size_t count_of(const std::vector<UnitOptions>& options) {
  std::size_t count = 0;
  for (const UnitOptions& unit : options) count += unit.size();
  return count;
}

/// Least cost of at most so many KV heads.
double least_within(const std::map<int, double>& front, int kv_heads) {
  return std::prev(front.upper_bound(kv_heads))->second;
}

/// The options with other costs in their place.
std::vector<UnitOptions> with_costs(std::vector<UnitOptions> options,
                                    const std::function<double(std::size_t, double)>& cost) {
  for (std::size_t u = 0; u < options.size(); ++u) {
    for (FrontMember& option : options[u]) option.cost = cost(u, option.cost);
  }
  return options;
}

/// Options without noise, for use as proxies.
std::vector<UnitOptions> smooth_options(const GroupingProblem& problem, RandomKey key) {
  RandomStream random(key);
  std::vector<UnitOptions> result;
  for (const Unit& unit : problem.units()) {
    result.emplace_back();
    const double power = 1 + 2 * random.unit();
    for (const int groups : unit.group_counts) {
      const double share = 1 - static_cast<double>(groups) / unit.heads();
      result.back().push_back(
          {Partition::neighbours(unit.heads(), groups), std::pow(share, power)});
    }
  }
  return result;
}

}  // namespace

TEST_CASE("the front of given options is that of all choices, whatever their costs") {
  for (const GroupingRules& rules : measured_rules()) {
    for (std::uint64_t draw = 0; draw < 10; ++draw) {
      const int layers = rules.sharing == PartitionSharing::kJoint ? 3 : 2;
      const GroupingProblem problem = random_problem(layers, 4, rules, RandomKey(1));
      const auto options = random_options(problem, 2, RandomKey(60).split(draw));
      const auto exact = enumerated_front(problem, options);
      const std::vector<ModelPoint> found = option_front(problem, options);
      REQUIRE(found.size() == exact.size());
      for (const ModelPoint& point : found) {
        const int size = point.grouping.kv_heads();
        CHECK(point.objectives.size == size);
        REQUIRE(exact.contains(size));
        CHECK(point.objectives.error == near(exact.at(size), 1e-12));
      }
    }
  }
}

TEST_CASE("the front takes the partition of the option that it prices") {
  const GroupingProblem problem = random_problem(1, 4, GroupingRules{}, RandomKey(1));
  const std::vector<UnitOptions> options{{{Partition::parse("0 1 | 2 3"), 2},
                                          {Partition::parse("0 2 | 1 3"), 1},
                                          {Partition::parse("0 1 2 3"), 1.5},
                                          {Partition::singletons(4), -0.5}}};
  const std::vector<ModelPoint> found = option_front(problem, options);
  REQUIRE(found.size() == 3);
  CHECK(found[0].grouping.layers[0].keys == Partition::one_group(4));
  CHECK(found[1].grouping.layers[0].keys.to_string() == "0 2 | 1 3");
  CHECK(found[2].grouping.layers[0].keys == Partition::singletons(4));
  CHECK(found[2].objectives.error == -0.5);
}

TEST_CASE("options that a unit may not have are refused") {
  const GroupingProblem problem =
      random_problem(2, 4, GroupingRules{.max_groups = 2}, RandomKey(1));
  const UnitOptions good{{Partition::one_group(4), 1}};
  CHECK_THROWS_AS(option_front(problem, {good}), InputError);
  CHECK_THROWS_AS(option_front(problem, {good, {}}), InputError);
  CHECK_THROWS_AS(option_front(problem, {good, {{Partition::singletons(4), 0}}}), InputError);
  CHECK_THROWS_AS(option_front(problem, {good, {{Partition::one_group(5), 0}}}), InputError);
}

TEST_CASE("few measurements choose as all of them where proxies are proportional in each unit") {
  for (std::uint64_t draw = 0; draw < 20; ++draw) {
    const GroupingProblem problem = random_problem(6, 8, GroupingRules{}, RandomKey(2));
    const auto proxies = smooth_options(problem, RandomKey(61).split(draw));
    RandomStream random(RandomKey(62).split(draw));
    std::vector<double> scales;
    for (std::size_t u = 0; u < proxies.size(); ++u) scales.push_back(std::exp(6 * random.unit()));
    const auto costs =
        with_costs(proxies, [&](std::size_t u, double proxy) { return scales[u] * proxy; });
    const std::vector<int> sizes{48, 24};
    for (const int reach : {0, 1}) {
      Truth truth(costs);
      const MeasuredFront found = measured_front(problem, proxies, sizes, reach, truth.measure());
      REQUIRE(found.points.size() == 2);
      const std::vector<ModelPoint> exact = option_front(problem, costs);
      for (std::size_t i = 0; i < 2; ++i) {
        double least = 1e300;
        for (const ModelPoint& point : exact) {
          if (point.objectives.size <= sizes[i]) least = point.objectives.error;
        }
        CHECK(found.points[i].grouping.kv_heads() <= sizes[i]);
        CHECK(found.points[i].objectives.error == Approx(least));
      }
      CHECK(truth.none_twice());
      CHECK(found.measured == truth.asked());
      // An anchor for each unit and two points, with up to two neighbours each.
      const std::size_t most = reach == 0 ? 3 : 7;
      CHECK(found.measured <= most * problem.units().size());
      CHECK(found.measured < count_of(proxies));
    }
  }
}

TEST_CASE("measuring ends whatever the proxies say, and no measured choice is cheaper") {
  std::size_t everything = 0;
  for (std::uint64_t draw = 0; draw < 40; ++draw) {
    const GroupingProblem problem = random_problem(3, 5, GroupingRules{}, RandomKey(3));
    const auto costs = random_options(problem, 1, RandomKey(63).split(draw));
    // The dearest by proxy is the cheapest in truth; every other time all proxies are 0.
    const auto proxies = with_costs(
        costs, [&](std::size_t, double cost) { return draw % 2 == 0 ? std::exp(-cost) : 0.0; });
    Truth truth(costs);
    const std::vector<int> sizes{6, 14, 22};
    const MeasuredFront found = measured_front(problem, proxies, sizes, 1, truth.measure());
    CHECK(truth.none_twice());
    everything += found.measured == count_of(costs);
    std::vector<UnitOptions> measured(costs.size());
    for (std::size_t u = 0; u < costs.size(); ++u) {
      for (std::size_t o = 0; o < costs[u].size(); ++o) {
        if (!found.costs[u][o]) continue;
        CHECK(*found.costs[u][o] == costs[u][o].cost);
        measured[u].push_back(costs[u][o]);
      }
    }
    const auto exact = enumerated_front(problem, measured);
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      CHECK(found.points[i].objectives.error == near(least_within(exact, sizes[i]), 1e-12));
    }
  }
  CHECK(everything > 0);  // it comes to that where proxies mislead
}

TEST_CASE("what is next to a choice is measured with it") {
  const GroupingProblem problem = random_problem(2, 8, GroupingRules{}, RandomKey(4));
  const auto proxies = smooth_options(problem, RandomKey(64));
  for (const int reach : {0, 1, 2}) {
    Truth truth(proxies);
    const std::vector<int> sizes{16};
    const MeasuredFront found = measured_front(problem, proxies, sizes, reach, truth.measure());
    for (std::size_t u = 0; u < 2; ++u) {
      const int chosen = found.points[0].grouping.layers[u].keys.groups();
      for (int groups = chosen - reach; groups <= chosen + reach; ++groups) {
        if (groups < 1 || groups > 8) continue;
        CHECK(found.costs[u][static_cast<std::size_t>(groups - 1)].has_value());
      }
    }
  }
}

TEST_CASE("sizes out of reach, wrong proxies and wrong measurements are refused") {
  const GroupingProblem problem = random_problem(2, 4, GroupingRules{}, RandomKey(5));
  const auto proxies = smooth_options(problem, RandomKey(65));
  const std::vector<int> sizes{8};
  const std::vector<int> too_small{3};
  Truth truth(proxies);
  CHECK_THROWS_AS(measured_front(problem, proxies, too_small, 1, truth.measure()), InputError);
  const auto negative = with_costs(proxies, [](std::size_t, double cost) { return cost - 0.1; });
  CHECK_THROWS_AS(measured_front(problem, negative, sizes, 1, truth.measure()), InputError);
  CHECK(truth.asked() == 0);
  const OptionMeasure none = [](std::span<const OptionId>) { return std::vector<double>{}; };
  CHECK_THROWS_AS(measured_front(problem, proxies, sizes, 1, none), WorkError);
  const OptionMeasure nan = [](std::span<const OptionId> batch) {
    return std::vector<double>(batch.size(), std::nan(""));
  };
  CHECK_THROWS_AS(measured_front(problem, proxies, sizes, 1, nan), WorkError);
}
