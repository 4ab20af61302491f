#pragma once

#include <span>
#include <vector>

#include "search/problem/problem.hpp"

namespace regroup::search {

/// What one group of all heads of a layer costs at one width.
struct WidthPrice {
  int width = 0;  ///< numbers
  double cost = 0;
};

/// Those of a layer, ascending; the last is the width at which nothing is lost.
struct LayerCurves {
  std::vector<WidthPrice> keys;
  std::vector<WidthPrice> values;
};

/// The model that free widths are dealt over.
struct FreeWidthModel {
  int heads = 0;          ///< H_kv
  int head_dim = 0;       ///< d
  double size_limit = 0;  ///< most that a grouping stores, in heads of the source
};

/// The cheapest widths of keys and values of every layer, one group each, for every size that a
/// choice of widths reaches: a multiple-choice knapsack by dynamic programming, so exact for these
/// prices. One group of a width never costs more than several that store as much together, for
/// several are one whose heads read parts of it. A layer with all its widths is left as it is. By
/// ascending size, none dominated. O(budget · Σ widths) in units of the widths' common divisor.
std::vector<ModelPoint> free_width_front(const FreeWidthModel& model,
                                         std::span<const LayerCurves> layers);

/// The step between widths with which that is done in seconds: even, at least `least`.
int free_width_step(const FreeWidthModel& model, int layers, int least);

}  // namespace regroup::search
