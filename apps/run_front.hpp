#pragma once

#include <filesystem>

namespace regroup::apps {

/// The grouping file of a finished run's `search` point with the largest KV ratio within `limit`.
/// Throws InputError if the run's front.json is broken or has no such point.
std::filesystem::path best_grouping_of_run(const std::filesystem::path& run, double limit);

}  // namespace regroup::apps
