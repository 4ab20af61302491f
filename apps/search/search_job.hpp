#pragma once

#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "apps/terminal/console.hpp"
#include "runs/plan/search_request.hpp"
#include "runs/points/run_points.hpp"

namespace regroup::apps {

/// What a search leaves, for the last lines that the user sees.
struct SearchSummary {
  std::filesystem::path run;
  bool was_finished = false;              ///< a resumed run that had nothing left to do
  nlohmann::ordered_json front;           ///< front.json
  std::map<std::string, double> seconds;  ///< by stage
};

/// The whole search, from a checkpoint to a run directory with a report. Throws InputError before
/// anything is written, WorkError, Interrupted.
SearchSummary run_search(runs::SearchRequest request, const Console& console, std::stop_token stop);

}  // namespace regroup::apps
