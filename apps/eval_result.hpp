#pragma once

#include <nlohmann/json.hpp>
#include <span>
#include <string>

#include "fitness/tasks/task.hpp"

namespace regroup::apps {

/// What a task found as lm-evaluation-harness writes it: `results`, `configs` and `n-samples`, each
/// with the task's name as its key.
nlohmann::ordered_json eval_result(std::string_view task, const fitness::TaskOptions& options,
                                   const fitness::PreparedTask& prepared,
                                   std::span<const fitness::Metric> metrics);

}  // namespace regroup::apps
