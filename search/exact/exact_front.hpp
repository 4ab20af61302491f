#pragma once

#include <span>
#include <vector>

#include "search/exact/exact_units.hpp"
#include "search/problem/certificate.hpp"

namespace regroup::search {

/// A front of the whole model and what is proven of it.
struct CertifiedFront : FrontBounds {
  std::vector<ModelPoint> front;  ///< by ascending size, none dominated
};

/// Largest (error − bound) / error over the points of a front, given lower bounds by ascending
/// size; 0 for points of error 0.
double worst_gap(std::span<const ModelPoint> front, std::span<const Objectives> bounds);

/// The cheapest grouping for every KV size within the problem's limit, from the solved units, by
/// dynamic programming over sizes (METHODS §8), and the same over the units' lower bounds. In shape
/// standard one grouping for every number of groups that all units may have.
CertifiedFront exact_front(const GroupingProblem& problem, const std::vector<ProvenUnit>& units);

}  // namespace regroup::search
