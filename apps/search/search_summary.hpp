#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "apps/search/search_job.hpp"

namespace regroup::apps {

/// What `search --json` prints (docs/formats.md). `best` has one entry per --kv limit, else
/// one for each of 0.25, 0.5 and 0.75.
nlohmann::ordered_json summary_json(const SearchSummary& summary);

/// The same for people: a table of the best groupings beside neighbour GQA, and where the report
/// is.
std::string summary_text(const SearchSummary& summary);

}  // namespace regroup::apps
