#pragma once

#include "fitness/tasks/task.hpp"
#include "models/inputs/dataset.hpp"

namespace regroup::fitness {

/// A task on the windows of a data file: stretches of a text, pairs of texts or images.
class WindowTask : public PreparedTask {
 public:
  /// Reads what the model reads. Throws InputError as `models::read_dataset` and
  /// `models::windows_of`, and for a limit on a text, which has no documents.
  WindowTask(const TaskOptions& options, const models::PretrainedModel& model);

  const std::string& sha256() const override { return data_.sha256; }
  std::size_t original_samples() const override { return data_.size(); }
  std::size_t effective_samples() const override { return windows_.tokens(); }
  std::size_t joined_documents() const override { return data_.documents; }

 protected:
  const models::Windows& windows() const { return windows_; }
  /// "(57600 tokens, 225 windows of 256)".
  std::string size_text() const;

 private:
  models::Dataset data_;
  models::Windows windows_;
};

}  // namespace regroup::fitness
