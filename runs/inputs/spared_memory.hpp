#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>

#include "models/pretrained/pretrained_model.hpp"
#include "models/tensors/compute.hpp"
#include "runs/base/run_log.hpp"

namespace regroup::runs {

/// What a command will do with a model: what it may need room for.
struct ScratchNeeds {
  /// That go through the model together; absent: not known yet.
  std::optional<std::size_t> tokens;
  bool calibrates = false;  ///< moments of its layers are measured, perhaps with gradients
  bool merges = false;      ///< heads are merged, perhaps with fits
  bool prices = false;      ///< groups of heads are priced
};

/// --scratch; where what does not fit into memory is put.
struct ScratchPlace {
  std::string asked;               ///< empty: decided by itself
  std::filesystem::path fallback;  ///< a directory to be, or a file in one, on a disk with room
};

/// The computation of a model that may be larger than the memory: with a scratch where one is asked
/// for, or where the weights would take more than half of what the process may have. Says so, with
/// the most room that it may take on the disk, and where there is less. Throws InputError for a
/// directory in which no file can be made, and for a computation on a GPU, which has its own way.
models::ComputeOptions spared_memory(models::ComputeOptions compute,
                                     const models::PretrainedModel& model,
                                     const ScratchPlace& place, const ScratchNeeds& needs,
                                     const RunLog& log);

}  // namespace regroup::runs
