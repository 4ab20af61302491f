#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

namespace regroup::runs {

/// Field of a point of front.json with KL(source ‖ converted) on the selection data: by what a run
/// with `--allocation measured` chooses.
inline constexpr const char* kSelectionDivergence = "selection_kl";

/// front.json of a run. Throws InputError if it is not there, is none or is broken.
nlohmann::ordered_json read_front(const std::filesystem::path& run);

/// The point of one series with the least price, by what the run chose by (front.json's "price",
/// else its fitness), among those whose KV ratio is at most `limit`; of equals the first. Null if
/// the series has none. Throws InputError, naming `where`, for a broken point. The measured loss
/// has no say: a choice made on the text that a report shows would flatter itself.
const nlohmann::ordered_json* best_point(const nlohmann::ordered_json& front,
                                         const std::string& series, double limit,
                                         const std::string& where);

/// The grouping file of a run's best `search` point within `limit`. Throws InputError as
/// `read_front`, and if there is no such point.
std::filesystem::path best_grouping_of_run(const std::filesystem::path& run, double limit);

}  // namespace regroup::runs
