#pragma once

#include <compare>
#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "search/exact/option_front.hpp"

namespace regroup::search {

/// An option by its unit and its place among the unit's options.
struct OptionId {
  std::size_t unit = 0;
  std::size_t option = 0;
  auto operator<=>(const OptionId&) const = default;
};

/// Measures options, each by itself in an otherwise unchanged model: one finite cost for each, in
/// their order.
using OptionMeasure = std::function<std::vector<double>(std::span<const OptionId>)>;

/// Groupings chosen by measured costs, and what was measured for them.
struct MeasuredFront {
  std::vector<ModelPoint> points;  ///< one for each size asked for, in that order
  std::vector<std::vector<std::optional<double>>> costs;  ///< by unit and option, where measured
  std::size_t measured = 0;                               ///< options measured
};

/// The cheapest choice of one option per unit of at most so many KV heads, for each of `kv_heads`,
/// by costs that are too expensive to measure for every option; `proxies` carry a cheap cost ≥ 0
/// of each instead.
///
/// An option that has not been measured is estimated as its proxy times the ratio of measured costs
/// to proxies of its unit, for which one option of each unit is measured first: proxies of
/// different units need not have a common scale. Then, again and again, the exact choice by
/// measured costs and estimates (`option_splits`) is made for every size, and its options are
/// measured, with those of the `reach` numbers of groups below and above each (the cheapest of
/// each number), until all of them are. So it ends, after measuring everything at worst, and no
/// choice of measured options is cheaper than a point. It is the same as if everything had been
/// measured where proxies are proportional to costs within each unit.
///
/// Deterministic: `measure` is asked in batches, ordered by unit and option, never twice for one
/// option. Throws InputError for options that `option_splits` refuses, a proxy that is negative or
/// not finite, and a size that no choice reaches; WorkError if `measure` does not return a finite
/// cost for each; and what `measure` throws.
MeasuredFront measured_front(const GroupingProblem& problem,
                             const std::vector<UnitOptions>& proxies, std::span<const int> kv_heads,
                             int reach, const OptionMeasure& measure);

}  // namespace regroup::search
