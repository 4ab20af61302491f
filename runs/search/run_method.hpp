#pragma once

#include <optional>

#include "runs/points/measured_selection.hpp"
#include "runs/points/run_points.hpp"
#include "runs/search/priced_problems.hpp"
#include "runs/search/search_inputs.hpp"
#include "search/method/method.hpp"
#include "search/problem/certificate.hpp"

namespace regroup::runs {

/// Runs the method of the plan; with `selection` it minimises what is measured there
/// instead of the problem's prices. `key_grams` may be null where the method needs none. Throws
/// Interrupted, WorkError.
search::MethodResult run_method(const SearchPlan& plan, const SearchInputs& inputs,
                                const search::KeyGrams* key_grams,
                                const search::GroupingProblem& problem,
                                const MeasuredSelection* selection, const RunLog& log,
                                search::MethodContext context);

/// The best deal of free widths by the problems' curves, which nothing beats.
search::MethodResult free_widths(const SearchInputs& inputs, const PricedProblems& problems);

/// How far the found front is from the best possible one; absent where nothing is known of it, as
/// of a measured one.
std::optional<search::Certificate> certify(const SearchPlan& plan, const PricedProblems& problems,
                                           const search::MethodResult& found,
                                           const search::MethodContext& context);

/// The paper's recipe, QCQA by weight-sharing error with mean merges, for comparison; absent where
/// it is what the run does itself, or where rules or size leave it out.
std::optional<ComparedFront> paper_front(const SearchPlan& plan, const PricedProblems& problems,
                                         const search::MethodContext& context);

}  // namespace regroup::runs
