#pragma once

#include <span>
#include <vector>

#include "search/method/method.hpp"
#include "search/problem/certificate.hpp"

namespace regroup::search {

/// What a method found for each unit of one problem: the same model in groups of one width.
struct WidthUnits {
  const GroupingProblem* problem;  ///< never null
  const MethodResult* found;       ///< never null; knows its units
  /// Of each unit's members, in parts of what the source computes, where compute counts.
  std::vector<std::vector<double>> compute = {};
};

/// The best choice of a width and a partition for every unit, for every size within the problems'
/// limit, by dynamic programming over sizes (METHODS §8): layers may have other widths than each
/// other. By ascending size, none dominated. All problems must have the same units.
std::vector<ModelPoint> mixed_front(std::span<const WidthUnits> widths);

/// Choices by size, cost and compute, none dominated, by NSGA-II from those of `mixed_front` on:
/// 200 candidates, 200 generations. Throws Interrupted on the context's stop.
std::vector<ModelPoint> mixed_compute_front(std::span<const WidthUnits> widths,
                                            const MethodContext& context);

/// The same as `mixed_front` over the lower bounds of an exact method's proofs, which every result
/// must have.
FrontBounds mixed_bounds(std::span<const WidthUnits> widths);

}  // namespace regroup::search
