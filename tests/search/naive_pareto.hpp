#pragma once

#include <functional>
#include <vector>

#include "search/evolution/pareto.hpp"

namespace regroup::tests {

/// No larger in any objective, and not equal.
bool naive_dominates(const search::Objectives& a, const search::Objectives& b);

/// Ranks by peeling fronts off one by one: a front is what no point that is left beats. O(N³).
std::vector<int> naive_ranks(
    const std::vector<search::Objectives>& points,
    const std::function<bool(const search::Objectives&, const search::Objectives&)>& beats =
        naive_dominates);

/// Constrained domination: what fits beats what does not, and of what does not the smaller.
bool naive_beats_within(double size_limit, const search::Objectives& a,
                        const search::Objectives& b);

/// Crowding distances by their definition, neighbours found by looking at all points; of points
/// that share an objective the earlier one comes first. O(N²).
std::vector<double> naive_crowding(const std::vector<search::Objectives>& front);

/// Volume below `reference` that the points dominate: of the boxes between neighbouring coordinates
/// of the points, those above some point are summed. O(N⁴).
double naive_hypervolume(const std::vector<search::Objectives>& points,
                         const search::Objectives& reference);

}  // namespace regroup::tests
