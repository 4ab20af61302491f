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
};

/// The best choice of a width and a partition for every unit, for every size within the problems'
/// limit, by dynamic programming over sizes (METHODS §8): layers may have other widths than each
/// other. By ascending size, none dominated. All problems must have the same units.
std::vector<ModelPoint> mixed_front(std::span<const WidthUnits> widths);

/// The same over the lower bounds of an exact method's proofs, which every result must have.
FrontBounds mixed_bounds(std::span<const WidthUnits> widths);

}  // namespace regroup::search
