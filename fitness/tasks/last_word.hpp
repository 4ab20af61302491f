#pragma once

#include "fitness/tasks/task.hpp"

namespace regroup::fitness {

/// Predicting how a text ends, as LAMBADA does: whether every token of the last word is the most
/// likely one, and what whole words cost.
class LastWord : public Task {
 public:
  std::string_view name() const override { return "last-word"; }
  std::string_view summary() const override { return "JSON lines with context, continuation"; }
  std::unique_ptr<const PreparedTask> prepare(const TaskOptions& options,
                                              const models::PretrainedModel& model) const override;
};

}  // namespace regroup::fitness
