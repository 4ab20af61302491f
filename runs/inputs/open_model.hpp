#pragma once

#include <filesystem>
#include <memory>

#include "models/pretrained/pretrained_model.hpp"
#include "runs/base/run_log.hpp"

namespace regroup::runs {

/// Opens a checkpoint as models::open_model does, and says in one warning which keys of its
/// config.json nothing is known of. Throws InputError.
std::shared_ptr<const models::PretrainedModel> open_model(const std::filesystem::path& directory,
                                                          const RunLog& log);

}  // namespace regroup::runs
