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

/// A line of JSON for each window or document, {"doc_id": 0, "loss": 3.1}, with the metrics that
/// are means of them.
std::string sample_lines(std::span<const fitness::Metric> metrics);

}  // namespace regroup::apps
