#pragma once

#include "fitness/tasks/task.hpp"
#include "models/text/token_data.hpp"
#include "models/text/token_windows.hpp"

namespace regroup::fitness {

/// A task on disjoint windows of a text; its samples are tokens.
class WindowTask : public PreparedTask {
 public:
  /// Reads text or token ids. Throws InputError as `models::read_token_data` and
  /// `models::TokenWindows::of_stream`, and for a limit, for a text has no documents.
  WindowTask(const TaskOptions& options, const models::PretrainedModel& model);

  const std::string& sha256() const override { return data_.sha256; }
  std::size_t original_samples() const override { return data_.ids.size() - 1; }
  std::size_t effective_samples() const override { return windows_.tokens(); }

 protected:
  const models::TokenWindows& windows() const { return windows_; }
  /// "(57600 tokens, 225 windows of 256)".
  std::string size_text() const;

 private:
  models::TokenData data_;
  models::TokenWindows windows_;
};

}  // namespace regroup::fitness
