#include "search/exact/measured_front.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "search/base/error.hpp"

namespace regroup::search {
namespace {

/// The cheapest of at most so many KV heads, the smaller of equal ones.
const Split& cheapest_within(const std::vector<Split>& splits, int kv_heads) {
  const Split* best = nullptr;
  for (const Split& split : splits) {
    if (split.size <= kv_heads && (!best || split.cost < best->cost)) best = &split;
  }
  if (best) return *best;
  throw InputError({.what = "KV size is below the smallest that the options reach",
                    .expected = splits.empty() ? std::string("options within the limit of KV heads")
                                               : "at least " + std::to_string(splits.front().size),
                    .found = std::to_string(kv_heads)});
}

void require_proxies(const GroupingProblem& problem, const std::vector<UnitOptions>& proxies) {
  for (std::size_t u = 0; u < proxies.size(); ++u) {
    for (const FrontMember& option : proxies[u]) {
      if (std::isfinite(option.cost) && option.cost >= 0) continue;
      throw InputError({.what = "proxy of an option is not a cost",
                        .where = problem.units()[u].name,
                        .expected = "finite and not negative",
                        .found = std::to_string(option.cost)});
    }
  }
}

/// The option of middle proxy among those that have one above 0: what a unit's scale is first taken
/// from.
std::optional<std::size_t> middle_option(const UnitOptions& proxies) {
  std::vector<std::size_t> places;
  for (std::size_t o = 0; o < proxies.size(); ++o) {
    if (proxies[o].cost > 0) places.push_back(o);
  }
  if (places.empty()) return std::nullopt;
  std::ranges::stable_sort(places, {}, [&](std::size_t o) { return proxies[o].cost; });
  return places[places.size() / 2];
}

/// What is known of the options' costs.
class Measurements {
 public:
  Measurements(const std::vector<UnitOptions>& proxies, const OptionMeasure& measure)
      : proxies_(proxies), measure_(measure) {
    for (const UnitOptions& options : proxies) costs_.emplace_back(options.size());
  }

  /// Measures those that have not been measured; false if all have.
  bool measure(const std::set<OptionId>& wanted) {
    std::vector<OptionId> batch;
    std::ranges::copy_if(wanted, std::back_inserter(batch),
                         [&](OptionId id) { return !costs_[id.unit][id.option]; });
    if (batch.empty()) return false;
    const std::vector<double> costs = measure_(batch);
    if (costs.size() != batch.size() ||
        !std::ranges::all_of(costs, [](double cost) { return std::isfinite(cost); })) {
      throw WorkError({.what = "measuring options did not give a finite cost for each"});
    }
    for (std::size_t i = 0; i < batch.size(); ++i) {
      costs_[batch[i].unit][batch[i].option] = costs[i];
    }
    measured_ += batch.size();
    return true;
  }

  /// The options with their measured or estimated costs.
  std::vector<UnitOptions> estimates() const {
    std::vector<UnitOptions> result = proxies_;
    for (std::size_t u = 0; u < result.size(); ++u) {
      const double scale = scale_of(u);
      for (std::size_t o = 0; o < result[u].size(); ++o) {
        result[u][o].cost = costs_[u][o].value_or(scale * proxies_[u][o].cost);
      }
    }
    return result;
  }

  std::vector<std::vector<std::optional<double>>> take_costs() { return std::move(costs_); }
  std::size_t measured() const { return measured_; }

 private:
  /// Measured costs over their proxies, both summed; not below 0, where noise might put it.
  double scale_of(std::size_t u) const {
    double costs = 0;
    double proxies = 0;
    for (std::size_t o = 0; o < costs_[u].size(); ++o) {
      if (!costs_[u][o]) continue;
      costs += *costs_[u][o];
      proxies += proxies_[u][o].cost;
    }
    return proxies > 0 ? std::max(0.0, costs / proxies) : 0;
  }

  const std::vector<UnitOptions>& proxies_;
  const OptionMeasure& measure_;
  std::vector<std::vector<std::optional<double>>> costs_;
  std::size_t measured_ = 0;
};

/// The chosen option of a unit, and the cheapest one for each of the `reach` numbers of groups
/// below and above its own.
void want_with_neighbours(OptionId chosen, const UnitOptions& options, int reach,
                          std::set<OptionId>& wanted) {
  std::vector<int> counts;
  for (const FrontMember& option : options) counts.push_back(option.partition.groups());
  std::ranges::sort(counts);
  counts.erase(std::unique(counts.begin(), counts.end()), counts.end());
  const auto place_of = [&](const FrontMember& option) {
    return std::ranges::lower_bound(counts, option.partition.groups()) - counts.begin();
  };
  const std::ptrdiff_t centre = place_of(options[chosen.option]);
  std::vector<std::optional<std::size_t>> cheapest(counts.size());
  for (std::size_t o = 0; o < options.size(); ++o) {
    auto& best = cheapest[static_cast<std::size_t>(place_of(options[o]))];
    if (!best || options[o].cost < options[*best].cost) best = o;
  }
  const auto last = static_cast<std::ptrdiff_t>(counts.size()) - 1;
  const std::ptrdiff_t end = std::min<std::ptrdiff_t>(last, centre + reach);
  for (std::ptrdiff_t i = std::max<std::ptrdiff_t>(0, centre - reach); i <= end; ++i) {
    wanted.insert({chosen.unit, *cheapest[static_cast<std::size_t>(i)]});
  }
  wanted.insert(chosen);
}

}  // namespace

MeasuredFront measured_front(const GroupingProblem& problem,
                             const std::vector<UnitOptions>& proxies, std::span<const int> kv_heads,
                             int reach, const OptionMeasure& measure) {
  const std::vector<Split> reachable = option_splits(problem, proxies);
  require_proxies(problem, proxies);
  for (const int size : kv_heads) cheapest_within(reachable, size);
  Measurements known(proxies, measure);
  std::set<OptionId> wanted;
  for (std::size_t u = 0; u < proxies.size(); ++u) {
    if (const auto middle = middle_option(proxies[u])) wanted.insert({u, *middle});
  }
  known.measure(wanted);
  MeasuredFront result;
  do {
    const std::vector<UnitOptions> options = known.estimates();
    const std::vector<Split> splits = option_splits(problem, options);
    wanted.clear();
    result.points.clear();
    for (const int size : kv_heads) {
      const Split& split = cheapest_within(splits, size);
      for (std::size_t u = 0; u < options.size(); ++u) {
        const OptionId chosen{u, static_cast<std::size_t>(split.choice[u])};
        want_with_neighbours(chosen, options[u], reach, wanted);
      }
      result.points.push_back({chosen_grouping(problem, options, split.choice),
                               {static_cast<double>(split.size), split.cost}});
    }
  } while (known.measure(wanted));
  result.measured = known.measured();
  result.costs = known.take_costs();
  return result;
}

}  // namespace regroup::search
