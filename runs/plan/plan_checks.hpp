#pragma once

#include "runs/plan/search_plan.hpp"

namespace regroup::runs {

/// Throws InputError, naming the option, where parts of a plan contradict each other.
void require_consistent(const SearchPlan& plan);

}  // namespace regroup::runs
