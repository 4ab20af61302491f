#pragma once

#include <stop_token>

#include "apps/terminal/console.hpp"
#include "runs/plan/search_request.hpp"

namespace regroup::apps {

/// What another rank of an MPI job does for the search of rank 0 (runs/ranks): it opens the same
/// inputs, writes nothing but fitted weights that are kept, and measures what it is asked for.
/// Throws as run_search does before it writes.
void help_search(runs::SearchRequest request, const Console& console, std::stop_token stop);

}  // namespace regroup::apps
