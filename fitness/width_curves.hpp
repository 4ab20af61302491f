#pragma once

#include <vector>

#include "models/merge/merge_problem.hpp"
#include "search/exact/free_widths.hpp"

namespace regroup::fitness {

/// What one group of all heads of a projection leaves unexplained at widths head_dim, head_dim +
/// step, …, H_kv · head_dim, for the optimal merge with free frequencies (METHODS §7, "wide
/// groups"). `prices` weigh the errors, `problem` says what is merged by. O((H_kv · d)³).
std::vector<search::WidthPrice> width_curve(const models::MergeProblem& problem,
                                            const models::HeadWeights& prices, int step);

}  // namespace regroup::fitness
