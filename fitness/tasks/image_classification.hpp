#pragma once

#include "fitness/tasks/task.hpp"

namespace regroup::fitness {

/// Share of images whose class the model finds most likely, and among its five most likely.
class ImageClassification : public Task {
 public:
  std::string_view name() const override { return "image-classification"; }
  std::string_view summary() const override {
    return "top-1 and top-5 accuracy on a folder of class folders, or CIFAR-10's binary files";
  }
  bool fits(models::ModelKind kind) const override { return kind == models::ModelKind::kImage; }
  std::unique_ptr<const PreparedTask> prepare(const TaskOptions& options,
                                              const models::PretrainedModel& model) const override;
};

}  // namespace regroup::fitness
