#pragma once

#include <span>

#include "search/exact/exact_front.hpp"
#include "search/problem/certificate.hpp"

namespace regroup::search {

/// Compares a front with what is proven of the same problem.
Certificate certify(const GroupingProblem& problem, std::span<const ModelPoint> front,
                    const FrontBounds& known);

/// Lower bounds of every unit with little effort: exact for small units, else one relaxation for
/// each number of groups, with fewer steps the more work there is (none, the spectral bound, for
/// very large models). `sizes`: those that the front may have.
std::vector<ProvenUnit> bound_units(const GroupingProblem& problem, GroupSizes sizes,
                                    const MethodContext& context);

}  // namespace regroup::search
