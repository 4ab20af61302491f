#pragma once

#include <string>

#include "runs/training/uptrain_run.hpp"

namespace regroup::apps {

/// The report of a training as one page that loads nothing: what was trained, what it came to, and
/// its curves. The same result gives the same bytes, times apart.
std::string training_page(const runs::UptrainResult& result);

}  // namespace regroup::apps
