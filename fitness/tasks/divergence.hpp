#pragma once

#include "fitness/tasks/task.hpp"

namespace regroup::fitness {

/// KL(source ‖ model) over disjoint windows of a text, and what goes with it (METHODS §9).
class Divergence : public Task {
 public:
  std::string_view name() const override { return "divergence"; }
  std::string_view summary() const override {
    return "KL of --grouping from MODEL, windows of a text";
  }
  bool compares() const override { return true; }
  bool fits(models::ModelKind) const override { return true; }
  std::unique_ptr<const PreparedTask> prepare(const TaskOptions& options,
                                              const models::PretrainedModel& model) const override;
};

}  // namespace regroup::fitness
