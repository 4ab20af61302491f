#pragma once

#include <filesystem>
#include <vector>

#include "runs/reading/run_data.hpp"

namespace regroup::runs {

/// The rows of history.csv (header `stage,unit,generation,evaluations,front,hypervolume`), in file
/// order. Throws InputError naming file and line if a row is not as it should be.
std::vector<HistoryRow> read_history(const std::filesystem::path& file);

}  // namespace regroup::runs
