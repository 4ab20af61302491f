#pragma once

#include "fitness/tasks/task.hpp"

namespace regroup::fitness {

/// Perplexity of words and bytes over whole documents, as lm-evaluation-harness measures it by
/// rolling windows: every token is scored once, and what they cost together is divided by the words
/// or bytes of the text.
class RollingPerplexity : public Task {
 public:
  std::string_view name() const override { return "rolling-perplexity"; }
  std::string_view summary() const override {
    return "of words and bytes, a text or JSON lines with text";
  }
  std::unique_ptr<const PreparedTask> prepare(const TaskOptions& options,
                                              const models::PretrainedModel& model) const override;
};

}  // namespace regroup::fitness
