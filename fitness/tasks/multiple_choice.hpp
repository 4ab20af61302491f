#pragma once

#include "fitness/tasks/task.hpp"

namespace regroup::fitness {

/// Choosing the most likely of several continuations, or of several contexts of one continuation,
/// as lm-evaluation-harness does (METHODS §9).
class MultipleChoice : public Task {
 public:
  std::string_view name() const override { return "multiple-choice"; }
  std::string_view summary() const override {
    return "JSON lines with query, choices, gold or context_options, continuation, gold";
  }
  std::unique_ptr<const PreparedTask> prepare(const TaskOptions& options,
                                              const models::PretrainedModel& model) const override;
};

}  // namespace regroup::fitness
