#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "models/pretrained/cache_type.hpp"
#include "models/text/document_join.hpp"

namespace regroup::runs {

/// How KV heads are split over the layers.
enum class Allocation { kProxy, kMeasured };

/// The files of a search by what they are for.
struct DataRoles {
  std::filesystem::path calibration;  ///< empty: none
  std::filesystem::path selection;    ///< empty: part of the calibration text, or sampled
  std::filesystem::path eval;         ///< empty: sampled from the model
  std::filesystem::path uptrain;      ///< what points are trained on; empty: the calibration text
  std::int64_t eval_tokens = 0;       ///< 0: all
  models::DocumentJoin join = models::DocumentJoin::kEnd;  ///< of the documents of a file
  std::vector<std::filesystem::path> seed_groupings;       ///< that the method begins with
};

/// What of a run's result is measured.
struct Measuring {
  int points = 24;  ///< of the front; 0: none
  /// Types of KV cache beside the plain one, each once, from wide to narrow.
  std::vector<models::CacheType> caches;
  std::int64_t uptrain_tokens = 0;  ///< that each of them is trained on, too; 0: none is
};

/// Where a search reads and writes, and what else does not decide its result.
struct RunPlace {
  std::filesystem::path model;
  std::filesystem::path output;
  bool force = false;                      ///< replace an earlier run
  bool resume = false;                     ///< go on from it
  std::optional<bool> keeps_weights = {};  ///< of measured points; open: where they are small
  std::string scratch = {};                ///< directory; empty: where it is needed, by the output
  int threads = 1;
  std::vector<std::string> command_line;
};

}  // namespace regroup::runs
