#pragma once

#include "fitness/tasks/task.hpp"

namespace regroup::fitness {

/// Mean loss of the next token over disjoint windows of a text (METHODS §9).
class Perplexity : public Task {
 public:
  std::string_view name() const override { return "perplexity"; }
  std::string_view summary() const override { return "loss of next tokens, windows of a text"; }
  std::unique_ptr<const PreparedTask> prepare(const TaskOptions& options,
                                              const models::PretrainedModel& model) const override;
};

}  // namespace regroup::fitness
